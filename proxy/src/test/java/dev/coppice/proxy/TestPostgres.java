package dev.coppice.proxy;

import dev.coppice.proxy.route.ComputeSocket;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;

/** A stock Postgres on a Unix socket, run by an unprivileged user, with SCRAM for everybody: a compute for tests. */
final class TestPostgres implements AutoCloseable {
    private static final String ARCHIVE = "/postgres-linux-x86_64.txz";
    private static final int NOBODY = 65534;
    private static final long START_TIMEOUT_SECONDS = 60;

    private final Path directory;
    private final Path data;
    private final Path sockets;
    private final Path binaries;

    private TestPostgres(Path directory, Path sockets, Path binaries) {
        this.directory = directory;
        this.data = directory.resolve("data");
        this.sockets = sockets;
        this.binaries = binaries;
    }

    /** @param setup statements, one per line, for the single-user mode */
    static TestPostgres create(List<String> setup) throws IOException, InterruptedException {
        Path binaries = unpack();
        Path directory = Files.createTempDirectory(TestDirectories.base(), "postgres-");
        // Not below the build directory: socket paths are limited to 107 bytes.
        Path sockets = Files.createTempDirectory("coppice-");
        for (Path owned : List.of(directory, sockets)) {
            Files.setPosixFilePermissions(owned, PosixFilePermissions.fromString("rwx------"));
            if (root()) {
                Files.setAttribute(owned, "unix:uid", NOBODY);
            }
        }
        TestPostgres postgres = new TestPostgres(directory, sockets, binaries);
        try {
            postgres.initialise(setup);
            postgres.start();
        } catch (IOException | InterruptedException e) {
            postgres.close();
            throw e;
        }
        return postgres;
    }

    ComputeSocket socket() {
        try {
            long pid = Long.parseLong(Files.readAllLines(data.resolve("postmaster.pid"))
                    .getFirst()
                    .strip());
            int uid = (Integer) Files.getAttribute(data, "unix:uid");
            return new ComputeSocket(sockets.resolve(".s.PGSQL.5432"), uid, pid);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void initialise(List<String> setup) throws IOException, InterruptedException {
        run(
                "",
                "initdb",
                "-D",
                data.toString(),
                "-U",
                "coppice_admin",
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C.UTF-8");
        Files.writeString(
                data.resolve("pg_hba.conf"), "local all all scram-sha-256\nlocal replication all scram-sha-256\n");
        Files.writeString(data.resolve("postgresql.auto.conf"), """
                listen_addresses = ''
                unix_socket_directories = '%s'
                fsync = off
                shared_buffers = 16MB
                max_connections = 60
                wal_level = replica
                """.formatted(sockets));
        run(String.join("\n", setup) + "\n", "postgres", "--single", "-D", data.toString(), "postgres");
    }

    void start() throws IOException, InterruptedException {
        run(
                "",
                "pg_ctl",
                "start",
                "-w",
                "-t",
                Long.toString(START_TIMEOUT_SECONDS),
                "-D",
                data.toString(),
                "-l",
                directory.resolve("log").toString());
    }

    /** @param mode of pg_ctl: fast or immediate */
    void stop(String mode) throws IOException, InterruptedException {
        run("", "pg_ctl", "stop", "-w", "-m", mode, "-D", data.toString());
    }

    boolean running() {
        return Files.exists(data.resolve("postmaster.pid"));
    }

    @Override
    public void close() throws IOException, InterruptedException {
        if (running()) {
            stop("immediate");
        }
        TestDirectories.delete(directory);
        TestDirectories.delete(sockets);
    }

    private void run(String input, String program, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        if (root()) {
            command.addAll(List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups"));
        }
        command.add(binaries.resolve("bin").resolve(program).toString());
        command.addAll(List.of(arguments));
        Path output = Files.createTempFile(TestDirectories.base(), program, ".out");
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try (var stdin = process.getOutputStream()) {
            stdin.write((input.isEmpty() ? "unused\n" : input).getBytes(StandardCharsets.UTF_8));
        } catch (IOException _) {
            // A program that reads no input may have ended already.
        }
        boolean ended = process.waitFor(2 * START_TIMEOUT_SECONDS, TimeUnit.SECONDS);
        String text = Files.readString(output);
        Files.delete(output);
        if (!ended || process.exitValue() != 0 || text.contains("ERROR:")) {
            throw new IOException(command + " failed: " + text);
        }
    }

    private static boolean root() {
        return "root".equals(System.getProperty("user.name"));
    }

    private static synchronized Path unpack() throws IOException {
        Path target = TestDirectories.base().resolve("postgres-binaries");
        Path done = target.resolve("complete");
        if (Files.exists(done)) {
            return target;
        }
        try (InputStream archive = TestPostgres.class.getResourceAsStream(ARCHIVE)) {
            if (archive == null) {
                throw new IOException(ARCHIVE + " is not on the class path");
            }
            try (TarArchiveInputStream tar = new TarArchiveInputStream(new XZCompressorInputStream(archive))) {
                for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                    Path file = target.resolve(entry.getName()).normalize();
                    if (entry.isDirectory()) {
                        Files.createDirectories(file);
                    } else if (entry.isSymbolicLink()) {
                        Files.createDirectories(file.getParent());
                        Files.deleteIfExists(file);
                        Files.createSymbolicLink(file, Path.of(entry.getLinkName()));
                    } else {
                        Files.createDirectories(file.getParent());
                        Files.copy(tar, file, StandardCopyOption.REPLACE_EXISTING);
                        boolean executable = (entry.getMode() & 0100) != 0;
                        Files.setPosixFilePermissions(
                                file, PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
                    }
                }
            }
        }
        Files.createFile(done);
        return target;
    }
}
