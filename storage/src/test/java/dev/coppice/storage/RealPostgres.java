package dev.coppice.storage;

import dev.coppice.storage.io.DurableFiles;
import dev.coppice.storage.timeline.FileOwner;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;

/** The stock Postgres of the build, unpacked once; one running server per object. */
final class RealPostgres implements AutoCloseable {
    private static final int NOBODY = 65534;
    private static final int START_TIMEOUT_SECONDS = 60;

    private final Path data;
    private final Process process;
    private final int port;

    private RealPostgres(Path data, Process process, int port) {
        this.data = data;
        this.process = process;
        this.port = port;
    }

    /** Who runs servers: Postgres refuses root. */
    static FileOwner owner() {
        try {
            Path self = Path.of("/proc/self");
            int uid = (int) Files.getAttribute(self, "unix:uid");
            return uid == 0
                    ? new FileOwner(NOBODY, NOBODY)
                    : new FileOwner(uid, (int) Files.getAttribute(self, "unix:gid"));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static void initdb(Path data) throws Exception {
        Files.createDirectory(data);
        DurableFiles.changeOwner(data, owner().uid(), owner().gid());
        List<String> command = command("initdb");
        command.addAll(List.of(
                "-D",
                data.toString(),
                "-U",
                "postgres",
                "--auth=trust",
                "--no-sync",
                "--no-data-checksums",
                "--encoding=UTF8",
                "--locale=C"));
        Path log = data.resolveSibling(data.getFileName() + ".initdb.log");
        Process initdb = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        if (initdb.waitFor() != 0) {
            throw new IllegalStateException(Files.readString(log));
        }
    }

    static RealPostgres start(Path data, String... settings) throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        List<String> command = command("postgres");
        command.addAll(List.of("-D", data.toString(), "-p", Integer.toString(port), "-k", ""));
        // Nobody archives removed segments here, so none may be removed.
        List<String> all = new ArrayList<>(List.of(
                "wal_keep_size=10GB",
                "listen_addresses=127.0.0.1",
                "wal_recycle=off",
                "restart_after_crash=off",
                "full_page_writes=off"));
        all.addAll(List.of(settings));
        all.forEach(setting -> command.addAll(List.of("-c", setting)));
        Path log = data.resolveSibling(data.getFileName() + ".log");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        RealPostgres server = new RealPostgres(data, process, port);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_TIMEOUT_SECONDS);
        while (true) {
            try (Connection ignored = server.connect()) {
                return server;
            } catch (SQLException e) {
                if (!process.isAlive() || System.nanoTime() > deadline) {
                    server.close();
                    throw new IllegalStateException("Postgres did not start:\n" + Files.readString(log), e);
                }
                Thread.sleep(20);
            }
        }
    }

    Connection connect() throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=postgres");
    }

    void execute(String... statements) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    String query(String sql) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    /** Fast shutdown. */
    void stop() throws Exception {
        new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
        if (process.waitFor() != 0) {
            throw new IllegalStateException("Postgres of " + data + " ended with " + process.exitValue());
        }
    }

    /** kill -9 of the postmaster and its children. */
    void crash() throws InterruptedException {
        List<ProcessHandle> children = process.descendants().toList();
        process.destroyForcibly().waitFor();
        children.forEach(ProcessHandle::destroyForcibly);
        for (ProcessHandle child : children) {
            child.onExit().join();
        }
    }

    @Override
    public void close() {
        if (process.isAlive()) {
            try {
                crash();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static List<String> command(String program) throws IOException {
        List<String> command = new ArrayList<>();
        if (owner().uid() == NOBODY) {
            command.addAll(List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups"));
        }
        command.add(installation().resolve("bin/" + program).toString());
        return command;
    }

    private static synchronized Path installation() throws IOException {
        Path target = TestDirectory.buildDirectory().resolve("postgres");
        if (!Files.exists(target)) {
            Path temporary = target.resolveSibling("postgres.new");
            DurableFiles.deleteRecursively(temporary);
            String arch = System.getProperty("os.arch").equals("amd64") ? "x86_64" : "arm_64";
            String archive = String.format(Locale.ROOT, "/postgres-linux-%s.txz", arch);
            try (InputStream raw = RealPostgres.class.getResourceAsStream(archive);
                    TarArchiveInputStream tar =
                            new TarArchiveInputStream(new XZCompressorInputStream(new BufferedInputStream(raw)))) {
                for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                    unpack(tar, entry, temporary.resolve(entry.getName()).normalize());
                }
            }
            Files.move(temporary, target);
        }
        return target;
    }

    private static void unpack(TarArchiveInputStream tar, TarArchiveEntry entry, Path path) throws IOException {
        if (entry.isDirectory()) {
            Files.createDirectories(path);
            return;
        }
        Files.createDirectories(path.getParent());
        if (entry.isSymbolicLink()) {
            Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
        } else {
            Files.copy(tar, path);
            boolean executable = (entry.getMode() & 0100) != 0;
            Files.setPosixFilePermissions(
                    path, PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
        }
    }
}
