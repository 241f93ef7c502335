package dev.coppice.masking;

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
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;
import org.jspecify.annotations.Nullable;

/** A cluster of a stock Postgres that tests start, stop and rewrite; gone when closed. */
public final class ScratchPostgres implements AutoCloseable {
    private static final int NOBODY = 65534;
    private static final int START_TIMEOUT_SECONDS = 60;

    private final Path installation;
    private final Path directory;
    private @Nullable Process process;
    private int port;

    private ScratchPostgres(Path installation, Path directory) {
        this.installation = installation;
        this.directory = directory;
    }

    /** The Postgres of the build, the oldest that is supported, and whichever others the machine has. */
    public static List<Path> installations() throws IOException {
        List<Path> all = new ArrayList<>(List.of(bundled(), oldest()));
        Path debian = Path.of("/usr/lib/postgresql");
        if (Files.isDirectory(debian)) {
            try (Stream<Path> versions = Files.list(debian)) {
                versions.filter(each -> Files.isExecutable(each.resolve("bin/initdb"))
                                && each.getFileName().toString().matches("1[4-8]"))
                        .sorted()
                        .forEach(all::add);
            }
        }
        return all;
    }

    /** A new cluster with data checksums, not started. */
    public static ScratchPostgres create(Path installation) throws Exception {
        Path parent = buildDirectory().resolve("test-data");
        Files.createDirectories(parent);
        Path directory = Files.createTempDirectory(parent, "m");
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
        ScratchPostgres cluster = new ScratchPostgres(installation, directory);
        Files.createDirectory(cluster.data());
        if (isRoot()) {
            Files.setAttribute(cluster.data(), "unix:uid", NOBODY);
            Files.setAttribute(cluster.data(), "unix:gid", NOBODY);
        }
        List<String> command = cluster.command("initdb");
        command.addAll(List.of("-D", cluster.data().toString(), "-U", "postgres", "--auth=trust", "--no-sync"));
        command.addAll(List.of("--data-checksums", "--encoding=UTF8", "--locale=C"));
        Path log = directory.resolve("initdb.log");
        Process initdb = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        if (initdb.waitFor() != 0) {
            throw new IllegalStateException(Files.readString(log));
        }
        return cluster;
    }

    public Path data() {
        return directory.resolve("data");
    }

    public ScratchPostgres start() throws Exception {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        List<String> command = command("postgres");
        command.addAll(List.of("-D", data().toString(), "-p", Integer.toString(port), "-k", ""));
        for (String setting : List.of("listen_addresses=127.0.0.1", "autovacuum=off", "fsync=off", "TimeZone=UTC")) {
            command.addAll(List.of("-c", setting));
        }
        Path log = directory.resolve("postgres.log");
        Process started = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        process = started;
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_TIMEOUT_SECONDS);
        while (true) {
            try (Connection ignored = connect()) {
                return this;
            } catch (SQLException e) {
                if (!started.isAlive() || System.nanoTime() > deadline) {
                    close();
                    throw new IllegalStateException("Postgres did not start:\n" + Files.readString(log), e);
                }
                Thread.sleep(20);
            }
        }
    }

    public Connection connect() throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=postgres");
    }

    public void execute(String... statements) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    /** The first column of all rows. */
    public List<String> column(String sql) throws SQLException {
        List<String> values = new ArrayList<>();
        for (List<String> row : rows(sql)) {
            values.add(row.getFirst());
        }
        return values;
    }

    /** All rows, as text. */
    public List<List<String>> rows(String sql) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            List<List<String>> rows = new ArrayList<>();
            int columns = result.getMetaData().getColumnCount();
            while (result.next()) {
                List<String> row = new ArrayList<>();
                for (int i = 1; i <= columns; i++) {
                    row.add(result.getString(i));
                }
                rows.add(row);
            }
            return rows;
        }
    }

    public String query(String sql) throws SQLException {
        return column(sql).getFirst();
    }

    /** Fast shutdown. */
    public void stop() throws Exception {
        Process running = Objects.requireNonNull(process);
        new ProcessBuilder("kill", "-INT", Long.toString(running.pid())).start().waitFor();
        if (running.waitFor() != 0) {
            throw new IllegalStateException("Postgres ended with " + running.exitValue());
        }
    }

    @Override
    public void close() {
        Process running = process;
        if (running != null && running.isAlive()) {
            List<ProcessHandle> children = running.descendants().toList();
            running.destroyForcibly().onExit().join();
            children.forEach(ProcessHandle::destroyForcibly);
            children.forEach(child -> child.onExit().join());
        }
        try {
            deleteRecursively(directory);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void deleteRecursively(Path path) throws IOException {
        if (Files.exists(path)) {
            try (Stream<Path> all = Files.walk(path)) {
                for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(each);
                }
            }
        }
    }

    private static boolean isRoot() throws IOException {
        return (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0;
    }

    private List<String> command(String program) throws IOException {
        List<String> command = new ArrayList<>();
        if (isRoot()) {
            command.addAll(List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups"));
        }
        command.add(installation.resolve("bin/" + program).toString());
        return command;
    }

    private static Path buildDirectory() {
        return Path.of(System.getProperty("coppice.build.directory", "target")).toAbsolutePath();
    }

    private static synchronized Path bundled() throws IOException {
        try (InputStream raw = ScratchPostgres.class.getResourceAsStream("/" + archive())) {
            return unpacked("postgres", Objects.requireNonNull(raw));
        }
    }

    /** The build lays its archive beside the classes: in the class path it would have the newest one's name. */
    private static synchronized Path oldest() throws IOException {
        try (JarFile jar = new JarFile(Path.of("target", "postgres-oldest.jar").toFile());
                InputStream raw = jar.getInputStream(jar.getEntry(archive()))) {
            return unpacked("postgres-oldest", raw);
        }
    }

    private static String archive() {
        String arch = System.getProperty("os.arch").equals("amd64") ? "x86_64" : "arm_64";
        return String.format(Locale.ROOT, "postgres-linux-%s.txz", arch);
    }

    private static Path unpacked(String name, InputStream raw) throws IOException {
        Path target = buildDirectory().resolve(name);
        if (!Files.exists(target)) {
            Path temporary = target.resolveSibling(name + ".new");
            deleteRecursively(temporary);
            try (TarArchiveInputStream tar =
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
