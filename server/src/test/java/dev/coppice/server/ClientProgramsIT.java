package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What comes with Postgres beside psql, and psycopg, through a whole server. Where the installed Postgres has a server too,
 * branches run it: pg_dump refuses one that is newer than itself.
 */
class ClientProgramsIT {
    private static final long PIP_SECONDS = 120;

    private static ServerProcess server;
    private static String main;

    @BeforeAll
    static void start() throws IOException {
        String bin = installed().map(path -> "postgres:\n  bin: " + path + "\n").orElse("");
        server = ServerProcess.startIn(
                TestDirectories.create("prog"), "  postgres_settings:\n    wal_level: logical\n" + bin);
        main = server.uri("main");
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    /** The bin directory of an installed Postgres with a server in it. */
    private static Optional<Path> installed() {
        if (!Programs.succeeds("pg_config", "--bindir")) {
            return Optional.empty();
        }
        Path bin = Path.of(Programs.run(List.of("pg_config", "--bindir"), "").text());
        return Optional.of(bin).filter(path -> Files.isExecutable(path.resolve("postgres")));
    }

    private static String pooled(String uri) {
        return uri.replaceAll("endpoint%3D(ep-[a-z0-9-]+)", "endpoint%3D$1-pooler");
    }

    private static String sql(String uri, String statements) {
        return Programs.psql(uri, statements).text();
    }

    @Test
    void a_dump_is_restored_into_a_branch_through_the_proxy() throws IOException {
        assumeTrue(installed().isPresent() && Programs.succeeds("pg_dump", "--version"), "pg_dump is not installed");
        sql(main, """
                create schema dumped;
                create table dumped.parents (id int primary key, note text);
                create table dumped.children (id serial primary key, parent int references dumped.parents);
                create view dumped.counted as select parent, count(*) from dumped.children group by parent;
                insert into dumped.parents select g, repeat(g::text, 50) from generate_series(1, 2000) g;
                insert into dumped.children (parent) select g % 2000 + 1 from generate_series(1, 10000) g;
                """);
        String sum = "select count(*), sum(hashtext(c::text)) from (select * from dumped.children order by id) c";
        String expected = sql(main, sum);
        server.cli("branches", "create", "--name", "restored").text();
        String branch = server.uri("restored");
        sql(branch, "drop schema dumped cascade");
        Path file = server.directory().resolve("dump");
        Programs.run(List.of("pg_dump", "-Fc", "-n", "dumped", "-f", file.toString(), main), "")
                .text();
        Programs.run(List.of("pg_restore", "--exit-on-error", "-d", branch, file.toString()), "")
                .text();
        assertThat(sql(branch, sum)).isEqualTo(expected);
        assertThat(sql(branch, "select sum(count) from dumped.counted")).isEqualTo("10000");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void psql_copies_in_and_out(boolean pool) throws IOException {
        String uri = pool ? pooled(main) : main;
        Path file = Files.createTempFile(server.directory(), "rows", ".csv");
        List<String> lines =
                IntStream.range(0, 5000).mapToObj(i -> i + ",row " + i).toList();
        Files.write(file, lines);
        String table = "copied_" + pool;
        sql(uri, "create table " + table + " (n int, t text)");
        sql(uri, "\\copy " + table + " from '" + file + "' csv");
        sql(uri, "\\copy (select * from " + table + " order by n) to '" + file + ".out' csv");
        assertThat(Files.readAllLines(Path.of(file + ".out"))).isEqualTo(lines);
    }

    @Test
    void pg_recvlogical_follows_a_branch() throws IOException, InterruptedException {
        assumeTrue(Programs.succeeds("pg_recvlogical", "--version"), "pg_recvlogical is not installed");
        sql(main, "create table followed (n int); create publication followed_ones for table followed");
        assertThat(sql(main, "show wal_level")).isEqualTo("logical");
        Programs.run(List.of("pg_recvlogical", "-d", main, "--slot=follower", "--create-slot", "--plugin=pgoutput"), "")
                .text();
        sql(main, "insert into followed select generate_series(1, 100)");
        Path file = server.directory().resolve("changes");
        Process follower = new ProcessBuilder(
                        "pg_recvlogical",
                        "-d",
                        main,
                        "--slot=follower",
                        "--start",
                        "-f",
                        file.toString(),
                        "-s",
                        "1",
                        "-o",
                        "proto_version=1",
                        "-o",
                        "publication_names=followed_ones")
                .redirectErrorStream(true)
                .redirectOutput(server.directory().resolve("recvlogical.log").toFile())
                .start();
        try {
            await().until(() -> Files.exists(file) && Files.size(file) > 1000);
            sql(main, "insert into followed values (4711)");
            await().until(() -> latin1(file).contains("4711"));
        } finally {
            follower.destroy();
            follower.waitFor();
        }
        await().until(() -> Programs.psql(main, "select pg_drop_replication_slot('follower')")
                        .exitCode()
                == 0);
    }

    /** A physical replication connection: the WAL that comes through the proxy is what the compute has written. */
    @Test
    void pg_receivewal_keeps_the_wal_of_a_branch() throws IOException, InterruptedException {
        assumeTrue(Programs.succeeds("pg_receivewal", "--version"), "pg_receivewal is not installed");
        Path directory = Files.createDirectory(server.directory().resolve("received"));
        String slot = "--slot=receiver";
        Programs.run(List.of("pg_receivewal", "-d", main, slot, "--create-slot"), "")
                .text();
        Process receiver = new ProcessBuilder(
                        "pg_receivewal", "-d", main, slot, "-D", directory.toString(), "--synchronous", "-s", "1")
                .redirectErrorStream(true)
                .redirectOutput(server.directory().resolve("receivewal.log").toFile())
                .start();
        String marker = "a row that is easy to find in WAL";
        try {
            sql(main, "create table received (t text); insert into received values ('" + marker + "')");
            String segment = sql(main, "select pg_walfile_name(pg_current_wal_lsn())");
            Path partial = directory.resolve(segment + ".partial");
            await().until(() -> Files.exists(partial) && latin1(partial).contains(marker));
            // The finished segment is what the server has, byte for byte.
            sql(main, "select pg_switch_wal()");
            await().until(() -> Files.exists(directory.resolve(segment)));
            assertThat(written(segment)).anyMatch(file -> same(file, directory.resolve(segment)));
        } finally {
            receiver.destroy();
            receiver.waitFor();
        }
        await().until(() -> Programs.psql(main, "select pg_drop_replication_slot('receiver')")
                        .exitCode()
                == 0);
    }

    private static String latin1(Path file) throws IOException {
        return new String(Files.readAllBytes(file), java.nio.charset.StandardCharsets.ISO_8859_1);
    }

    /** Of all the server's Postgres, the segments of this name. */
    private static List<Path> written(String segment) throws IOException {
        try (Stream<Path> files = Files.walk(server.data())) {
            return files.filter(file -> file.getFileName().toString().equals(segment))
                    .toList();
        }
    }

    private static boolean same(Path one, Path other) {
        try {
            return Files.mismatch(one, other) < 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void psycopg_does_everything_pooled_or_not() throws IOException, InterruptedException {
        Path python = psycopg();
        Path script = Files.writeString(server.directory().resolve("check.py"), """
                import sys, threading, time, psycopg
                for uri in sys.argv[1:]:
                    pooled = '-pooler' in uri
                    for mode in ('disable', 'require'):
                        table = f'psycopg_{pooled}_{mode}'.lower()
                        with psycopg.connect(uri, sslmode=mode) as c:
                            assert c.execute('select 1 + %s', (1,)).fetchone() == (2,)
                            for i in range(10):
                                assert c.execute('select %s * 2', (i,), prepare=True).fetchone() == (2 * i,)
                            c.execute(f'create table {table} (n int, t text)')
                            with c.cursor().copy(f'copy {table} from stdin') as copy:
                                for i in range(5000):
                                    copy.write_row((i, f'row {i}'))
                            with c.cursor().copy(f'copy {table} to stdout') as copy:
                                assert sum(1 for _ in copy.rows()) == 5000
                            c.commit()
                            try:
                                c.execute('select 1/0')
                                raise AssertionError('no error')
                            except psycopg.errors.DivisionByZero:
                                c.rollback()
                            rows = c.execute("select g, repeat('x', 100) from generate_series(1, 100000) g").fetchall()
                            assert len(rows) == 100000 and rows[-1][0] == 100000
                            threading.Timer(1, c.cancel).start()
                            try:
                                c.execute('select pg_sleep(600)')
                                raise AssertionError('not cancelled')
                            except psycopg.errors.QueryCanceled:
                                c.rollback()
                            with c.pipeline():
                                cursors = [c.execute('select %s::int', (i,)) for i in range(50)]
                            assert [each.fetchone()[0] for each in cursors] == list(range(50))
                print('all well')
                """);
        Programs.Result result = Programs.run(List.of(python.toString(), script.toString(), main, pooled(main)), "");
        assertThat(result.text()).isEqualTo("all well");
    }

    /** A Python with psycopg, made in the build directory; skips the test where that is not possible. */
    private static Path psycopg() throws IOException, InterruptedException {
        assumeTrue(Programs.succeeds("python3", "-m", "venv", "--help"), "python3 with venv is not installed");
        Path directory = Path.of(System.getProperty("coppice.build.directory", "target"))
                .toAbsolutePath()
                .resolve("psycopg");
        Path python = directory.resolve("bin/python");
        if (!Programs.succeeds(python.toString(), "-c", "import psycopg")) {
            assumeTrue(Programs.succeeds("python3", "-m", "venv", directory.toString()), "a venv cannot be made");
            assumeTrue(
                    Programs.succeeds(
                            "timeout",
                            Long.toString(PIP_SECONDS),
                            python.toString(),
                            "-m",
                            "pip",
                            "install",
                            "--quiet",
                            "psycopg[binary]==3.3.6"),
                    "pip cannot install psycopg");
        }
        return python;
    }
}
