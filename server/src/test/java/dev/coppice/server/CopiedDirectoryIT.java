package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What people do with a data directory: it works on its own afterwards, or refuses with a sentence; the original is never touched. */
class CopiedDirectoryIT {
    private Path original;
    private Path copy;

    @BeforeEach
    void make() throws IOException {
        original = TestDirectories.create("cpo");
        copy = TestDirectories.create("cpc");
    }

    @AfterEach
    void delete() throws IOException {
        for (Path each : List.of(original, copy)) {
            if (Files.exists(each)) {
                TestDirectories.delete(each);
            }
        }
    }

    private static void sql(ServerProcess server, String branch, String... statements) throws SQLException {
        try (Connection connection = DriverManager.getConnection(CommitLoad.jdbc(server.uri(branch)));
                Statement statement = connection.createStatement()) {
            for (String each : statements) {
                statement.execute(each);
            }
        }
    }

    private static String value(ServerProcess server, String branch, String query) throws SQLException {
        try (Connection connection = DriverManager.getConnection(CommitLoad.jdbc(server.uri(branch)));
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getString(1);
        }
    }

    private static final String ROWS = "SELECT string_agg(id::text, ',' ORDER BY id) FROM t";

    /** With a warm and a cold branch, so that local files of both kinds lie there. */
    private static void seed(ServerProcess server) throws SQLException {
        sql(server, "main", "CREATE TABLE t (id int)", "INSERT INTO t VALUES (1)");
        assertThat(server.cli("branches", "create", "--name", "dev").exitCode()).isZero();
        sql(server, "dev", "INSERT INTO t VALUES (2)");
    }

    private static void copy(Path from, Path to) {
        assertThat(Programs.succeeds("cp", "-a", from.toString(), to.toString()))
                .isTrue();
    }

    /** Every regular file with its content, every link with its target. */
    private static Map<String, String> contents(Path directory) throws IOException {
        Map<String, String> all = new TreeMap<>();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                if (Files.isSymbolicLink(file)) {
                    all.put(file.toString(), Files.readSymbolicLink(file).toString());
                } else if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                        && !file.getFileName().toString().equals("compute.map")) {
                    all.put(file.toString(), hash(file));
                }
            }
        }
        return all;
    }

    private static String hash(Path file) throws IOException {
        java.util.zip.CRC32C sum = new java.util.zip.CRC32C();
        try (var in = Files.newInputStream(file)) {
            byte[] buffer = new byte[1 << 16];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                sum.update(buffer, 0, n);
            }
        }
        return Files.size(file) + " " + sum.getValue() + " " + Files.getAttribute(file, "unix:uid") + " "
                + PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    /** Ends the compute as a crash does, so that what it wrote must be found again. */
    private static void kill(ServerProcess server, String branch) throws SQLException, IOException {
        Path data = Path.of(value(server, branch, "SELECT current_setting('data_directory')"));
        long pid = Long.parseLong(
                Files.readAllLines(data.resolve("postmaster.pid")).getFirst());
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        ProcessHandle.of(pid).ifPresent(process -> process.onExit().join());
    }

    @Test
    void a_copy_of_a_stopped_directory_works_beside_its_original() throws Exception {
        try (ServerProcess server = ServerProcess.startIn(original, "")) {
            seed(server);
            server.stop();
            copy(server.data(), copy.resolve("data"));
            Map<String, String> before = contents(server.data());
            try (ServerProcess second = ServerProcess.startIn(copy, "")) {
                assertThat(value(second, "main", ROWS)).isEqualTo("1");
                assertThat(value(second, "dev", ROWS)).isEqualTo("1,2");
                for (String branch : List.of("main", "dev")) {
                    sql(second, branch, "INSERT INTO t VALUES (10)", "CHECKPOINT", "INSERT INTO t VALUES (11)");
                    kill(second, branch);
                }
                assertThat(value(second, "main", ROWS)).isEqualTo("1,10,11");
                assertThat(value(second, "dev", ROWS)).isEqualTo("1,2,10,11");
                assertThat(contents(server.data())).isEqualTo(before);

                server.restart();
                assertThat(value(server, "dev", ROWS)).isEqualTo("1,2");
                sql(server, "dev", "INSERT INTO t VALUES (3)");
                kill(server, "dev");
                assertThat(value(server, "dev", ROWS)).isEqualTo("1,2,3");
                assertThat(value(second, "dev", ROWS)).isEqualTo("1,2,10,11");
            }
            assertThat(value(server, "main", ROWS)).isEqualTo("1");
        }
    }

    @Test
    void a_copy_of_a_running_directory_is_refused() throws Exception {
        try (ServerProcess server = ServerProcess.startIn(original, "")) {
            seed(server);
            copy(server.data(), copy.resolve("data"));
            Map<String, String> before = contents(copy.resolve("data"));
            assertThatThrownBy(() -> ServerProcess.startIn(copy, "").close())
                    .hasMessageContaining("is a copy of a data directory that was made while a server used it")
                    .hasMessageContaining("Stop the server");
            assertThat(contents(copy.resolve("data")).keySet()).containsAll(before.keySet());
            sql(server, "dev", "INSERT INTO t VALUES (3)");
            kill(server, "dev");
            assertThat(value(server, "dev", ROWS)).isEqualTo("1,2,3");
        }
    }

    @Test
    void a_stopped_directory_can_be_moved() throws Exception {
        String rows;
        try (ServerProcess server = ServerProcess.startIn(original, "")) {
            seed(server);
            rows = value(server, "dev", ROWS);
            server.stop();
            Files.move(server.data(), copy.resolve("data"));
        }
        try (ServerProcess server = ServerProcess.startIn(copy, "")) {
            assertThat(value(server, "dev", ROWS)).isEqualTo(rows);
            sql(server, "dev", "INSERT INTO t VALUES (3)");
            kill(server, "dev");
            assertThat(value(server, "dev", ROWS)).isEqualTo("1,2,3");
            assertThat(original.resolve("data")).doesNotExist();
        }
    }

    /** As versions before every timeline had a user: files of one user, an absolute way to the WAL, logs and sockets in one place. */
    @Test
    void a_directory_of_the_layout_before_is_taken_over() throws Exception {
        assumeTrue(System.getProperty("user.name").equals("root"), "only root can give files to others");
        int before = 54_321;
        try (ServerProcess server = ServerProcess.startIn(original, "")) {
            seed(server);
            server.stop();
            Path data = server.data();
            // "in-use" is there while a server is.
            assertThat(data.resolve("in-use")).doesNotExist();
            for (String each : List.of("users", "identity", "logs")) {
                if (Files.exists(data.resolve(each))) {
                    TestDirectories.delete(data.resolve(each));
                }
            }
            own(data.resolve("catalog"), before);
            own(data.resolve("run"), before);
            try (Stream<Path> timelines = Files.list(data.resolve("timelines"))) {
                for (Path timeline : (Iterable<Path>) timelines::iterator) {
                    if (Files.exists(timeline.resolve("local"))) {
                        Path link = timeline.resolve("local/pgdata/pg_wal");
                        Files.deleteIfExists(link);
                        Files.createSymbolicLink(link, timeline.resolve("wal").toAbsolutePath());
                    }
                    for (String each : List.of("local", "wal", "wal-archive", "journal", "writer.lock")) {
                        own(timeline.resolve(each), before);
                    }
                }
            }
            server.restart();
            assertThat(value(server, "main", ROWS)).isEqualTo("1");
            assertThat(value(server, "dev", ROWS)).isEqualTo("1,2");
            sql(server, "dev", "INSERT INTO t VALUES (3)");
            kill(server, "dev");
            assertThat(value(server, "dev", ROWS)).isEqualTo("1,2,3");
            // The template has no compute, whose start would take it over, and nobody runs as that user any more.
            Path template = data.resolve("timelines/template");
            try (Stream<Path> files = Files.walk(data.resolve("timelines"))) {
                assertThat(files.filter(file -> !file.startsWith(template) && isOf(file, before))
                                .toList())
                        .isEmpty();
            }
        }
    }

    @Test
    void a_directory_of_root_is_refused_to_another_user() throws Exception {
        assumeTrue(OtherUser.isPossible(), "a user for the server can be made by root only, with useradd and setpriv");
        try (ServerProcess server = ServerProcess.startIn(original, "")) {
            seed(server);
            server.stop();
            Map<String, String> before = contents(server.data());
            try (OtherUser user = OtherUser.create()) {
                assertThatThrownBy(() -> ServerProcess.startIn(original, user).close())
                        .hasMessageContaining(server.data() + " belongs to user 0")
                        .hasMessageContaining("start it as that user");
            }
            assertThat(contents(server.data())).isEqualTo(before);
            server.restart();
            assertThat(value(server, "dev", ROWS)).isEqualTo("1,2");
        }
    }

    private static void own(Path path, int uid) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (Stream<Path> files = Files.walk(path)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.setAttribute(file, "unix:uid", uid, LinkOption.NOFOLLOW_LINKS);
                Files.setAttribute(file, "unix:gid", uid, LinkOption.NOFOLLOW_LINKS);
            }
        }
    }

    private static boolean isOf(Path file, int uid) {
        try {
            return Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS)
                    .equals(uid);
        } catch (IOException e) {
            // It went meanwhile.
            return false;
        }
    }
}
