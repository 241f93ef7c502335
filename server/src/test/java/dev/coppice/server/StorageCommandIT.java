package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What an operator does with {@code coppice storage}, against a server in a process of its own. */
class StorageCommandIT {
    private static ServerProcess server;
    private static String main;

    @BeforeAll
    static void start() throws IOException {
        server = ServerProcess.start("ops");
        main = server.uri("main");
        Programs.psql(
                        main,
                        "create table orders as select g i, repeat('x', 200) f from generate_series(1, 5000) g;"
                                + " checkpoint")
                .text();
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    private static JsonNode json(String... arguments) {
        return JsonMapper.shared().readTree(server.cli(arguments).text());
    }

    private static String sql(String statements) {
        return Programs.psql(main, statements).text();
    }

    @Test
    void a_pages_versions_are_shown_by_relation_and_by_path() {
        String before = sql("select pg_current_wal_insert_lsn()");
        sql("update orders set f = 'changed' where i = 1; checkpoint");
        String path = sql("select pg_relation_filepath('orders')");
        JsonNode byName = json("storage", "page", "main", "public.orders", "0", "-o", "json");
        assertThat(byName.at("/path").asString()).isEqualTo(path);
        assertThat(byName.at("/versions").size()).isGreaterThanOrEqualTo(2);
        assertThat(byName.at("/versions/0/served").asBoolean()).isTrue();
        assertThat(byName.at("/versions/0/branch").asString()).isEqualTo("main");
        assertThat(json("storage", "page", "main", path, "0", "-o", "json").at("/versions"))
                .isEqualTo(byName.at("/versions"));
        JsonNode then = json("storage", "page", "main", "orders", "0", "--lsn", before, "-o", "json");
        assertThat(then.at("/versions/0/served").asBoolean()).isFalse();
        assertThat(server.cli("storage", "page", "main", "orders", "0").text())
                .contains("Block 0 of " + path, " *", "journal ");

        Programs.Result unknown = server.cli("storage", "page", "main", "public.nothing", "0");
        assertThat(unknown.exitCode()).isEqualTo(1);
        assertThat(unknown.error()).contains("public.nothing", "main");
        Programs.Result beyond = server.cli("storage", "page", "main", "orders", "0", "--lsn", "FF/0");
        assertThat(beyond.exitCode()).isEqualTo(1);
        assertThat(beyond.error()).contains("FF/0", "history");
        assertThat(server.cli("storage", "page", "main", "orders", "-1").exitCode())
                .isNotZero();
    }

    @Test
    void sizes_are_shown_per_branch_and_a_new_branch_owns_next_to_nothing() {
        server.cli("branches", "create", "--name", "sizes").text();
        JsonNode stats = json("storage", "stats", "-o", "json").at("/projects/0");
        JsonNode mainStats = branch(stats, "main");
        JsonNode child = branch(stats, "sizes");
        assertThat(mainStats.at("/logical_size").asLong()).isGreaterThan(20 << 20);
        assertThat(mainStats.at("/journal_bytes").asLong()
                        + mainStats.at("/layer_bytes").asLong())
                .isGreaterThan(1 << 20);
        assertThat(mainStats.at("/horizon_lsn").asString()).matches("[0-9A-F]+/[0-9A-F]+");
        assertThat(child.at("/logical_size").asLong())
                .isBetween(
                        mainStats.at("/logical_size").asLong() * 8 / 10,
                        mainStats.at("/logical_size").asLong() * 12 / 10);
        assertThat(child.at("/own_bytes").asLong()).isLessThan(64 << 10);
        assertThat(child.at("/shared_bytes").asLong()).isGreaterThan(20 << 20);
        assertThat(server.cli("storage", "stats").text()).contains("LOGICAL", "sizes");
        assertThat(json("branches", "get", "main", "-o", "json")
                        .at("/logical_size")
                        .asLong())
                .isGreaterThan(20 << 20);
        server.cli("branches", "delete", "sizes", "--hard").text();
    }

    private static JsonNode branch(JsonNode project, String name) {
        for (JsonNode branch : project.at("/branches")) {
            if (branch.at("/name").asString().equals(name)) {
                return branch;
            }
        }
        throw new AssertionError("no " + name + " in " + project);
    }

    @Test
    void a_flipped_byte_is_found_by_a_check_and_named() throws IOException {
        server.cli("branches", "create", "--name", "damaged").text();
        String uri = server.uri("damaged");
        Programs.psql(uri, "create table t as select g i from generate_series(1, 10000) g; checkpoint")
                .text();
        Programs.Result clean = server.cli("storage", "verify");
        assertThat(clean.text()).contains("All is well.");
        assertThat(clean.exitCode()).isZero();

        JsonNode stats = json("storage", "stats", "-o", "json").at("/projects/0");
        Path journal = server.data()
                .resolve("timelines")
                .resolve(branch(stats, "damaged").at("/timeline_id").asString())
                .resolve("journal/00000001.journal");
        long position = Files.size(journal) / 2;
        flip(journal, position);
        Programs.Result damaged = server.cli("storage", "verify");
        assertThat(damaged.exitCode()).isEqualTo(1);
        assertThat(damaged.output()).contains("error: branch damaged", "journal/00000001.journal", "no whole entry");
        assertThat(server.cli("storage", "verify", "damaged").exitCode()).isEqualTo(1);
        assertThat(server.cli("storage", "verify", "main").exitCode()).isZero();
        JsonNode answer = JsonMapper.shared()
                .readTree(
                        server.cli("storage", "verify", "damaged", "-o", "json").output());
        assertThat(answer.at("/result/clean").asBoolean()).isFalse();
        assertThat(answer.at("/findings/0/severity").asString()).isEqualTo("error");
        flip(journal, position);
        assertThat(server.cli("storage", "verify", "damaged").exitCode()).isZero();
        server.cli("branches", "delete", "damaged", "--hard").text();
    }

    private static void flip(Path file, long position) throws IOException {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(position);
            int old = bytes.read();
            bytes.seek(position);
            bytes.write(old ^ 4);
        }
    }
}
