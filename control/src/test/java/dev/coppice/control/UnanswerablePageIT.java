package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.control.branch.Made;
import dev.coppice.control.masking.RuleSet;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What a page that cannot be answered does: an error for the query that wants it, and nothing else. */
class UnanswerablePageIT {
    private static final String IO_ERROR = "58030";
    private static final String QUERY_CANCELED = "57014";
    private static final String ADMIN_SHUTDOWN = "57P01";

    private static ControlFixture fixture;
    private static MaskedParent parent;
    private static Made masked;

    @BeforeAll
    static void seed() throws Exception {
        fixture = new ControlFixture(-1);
        parent = new MaskedParent(fixture, "unanswerable");
        parent.execute(
                parent.endpoint,
                "CREATE TABLE plain (id int PRIMARY KEY, name text)",
                "INSERT INTO plain SELECT n, 'Canary ' || n FROM generate_series(1, 100) n",
                "CREATE TABLE nested (id int PRIMARY KEY, doc jsonb)",
                "ALTER TABLE nested ALTER doc SET STORAGE plain",
                "INSERT INTO nested SELECT 1, (repeat('{\"y\":', 480) || '[{\"x\": \"Canary\"}]' || repeat('}', 480))::jsonb",
                "CREATE TABLE deep (id int PRIMARY KEY, doc jsonb)",
                "ALTER TABLE deep ALTER doc SET STORAGE main",
                "SET max_stack_depth = '7MB'",
                "INSERT INTO deep SELECT 1, (repeat('[', 20000) || '{\"x\": \"Canary\"}' || repeat(']', 20000))::jsonb",
                "CREATE TABLE garbage (id int, name text)",
                "INSERT INTO garbage SELECT n, 'Canary ' || n FROM generate_series(1, 10) n",
                "CREATE TABLE large (id int, filler text)",
                "INSERT INTO large SELECT n, repeat('x', 500) FROM generate_series(1, 20000) n",
                "CHECKPOINT",
                // The large-object function writes to any file of the data directory, as the interposer sees it.
                "DO $$ DECLARE lo oid := lo_from_bytea(0, (SELECT string_agg(sha512(n::text::bytea), '') FROM"
                        + " generate_series(1, 128) n)); BEGIN PERFORM lo_export(lo, pg_relation_filepath('garbage'));"
                        + " PERFORM lo_unlink(lo); END $$");
        masked = parent.anonymized(
                "masked",
                parent.rules(
                        parent.rule("plain", "name", "pseudonym()"),
                        parent.rule("garbage", "name", "pseudonym()"),
                        atPath("nested"),
                        atPath("deep")));
    }

    private static RuleSet.Rule atPath(String table) {
        return new RuleSet.Rule(parent.database, "public", table, "doc", "blank()", null, "$..x", null);
    }

    @AfterAll
    static void close() throws IOException {
        fixture.close();
    }

    private static String endpoint() {
        return masked.endpoint().orElseThrow().id();
    }

    @Test
    void nested_documents_are_masked_to_their_bottom() throws Exception {
        assertThat(parent.value(endpoint(), "SELECT (doc::text LIKE '%{\"x\": \"\"}%')::text FROM nested"))
                .isEqualTo("true");
        try (Connection connection = parent.connect(endpoint())) {
            MaskedParent.execute(connection, "SET max_stack_depth = '7MB'");
            // It is masked, or blanked where it is stored apart.
            assertThat(MaskedParent.column(connection, "SELECT (doc::text LIKE '%Canary%')::text FROM deep"))
                    .containsExactly("false");
        }
    }

    @Test
    void a_page_of_garbage_is_an_error_of_its_query_and_everything_else_goes_on() throws Exception {
        try (Connection connection = parent.connect(endpoint())) {
            for (int i = 0; i < 3; i++) {
                assertThatThrownBy(() -> MaskedParent.column(connection, "SELECT name FROM garbage"))
                        .asInstanceOf(InstanceOfAssertFactories.type(SQLException.class))
                        .extracting(SQLException::getSQLState)
                        .isEqualTo(IO_ERROR);
                assertThat(MaskedParent.column(connection, "SELECT count(*)::text FROM plain"))
                        .containsExactly("100");
            }
        }
    }

    /** The server is away, and what is wanted is not in the compute's files. */
    @Test
    void whoever_waits_for_a_server_that_is_away_can_be_cancelled_and_ended() throws Exception {
        Made child = parent.child("waiting", parent.main);
        String endpoint = child.endpoint().orElseThrow().id();
        try (Connection waiting = parent.connect(endpoint);
                Connection other = parent.connect(endpoint)) {
            String pid = MaskedParent.column(waiting, "SELECT pg_backend_pid()::text")
                    .getFirst();
            // What it takes to look on and to end the other one is in its files and caches before the server goes.
            MaskedParent.column(other, "SELECT state FROM pg_stat_activity WHERE pid = " + pid);
            MaskedParent.execute(other, "SELECT pg_cancel_backend(0)");
            MaskedParent.execute(other, "SELECT pg_terminate_backend(0)");
            fixture.abandon();
            try {
                MaskedParent.execute(waiting, "SET statement_timeout = '500ms'");
                assertState(() -> MaskedParent.column(waiting, "SELECT count(*) FROM large"), QUERY_CANCELED);
                MaskedParent.execute(waiting, "SET statement_timeout = 0");
                CompletableFuture<Void> cancelled = CompletableFuture.runAsync(() ->
                        assertState(() -> MaskedParent.column(waiting, "SELECT count(*) FROM large"), QUERY_CANCELED));
                until(other, pid, "active");
                MaskedParent.execute(other, "SELECT pg_cancel_backend(" + pid + ")");
                cancelled.join();
                CompletableFuture<Void> ended = CompletableFuture.runAsync(() ->
                        assertState(() -> MaskedParent.column(waiting, "SELECT count(*) FROM large"), ADMIN_SHUTDOWN));
                until(other, pid, "active");
                MaskedParent.execute(other, "SELECT pg_terminate_backend(" + pid + ")");
                ended.join();
            } finally {
                fixture.open();
            }
            assertThat(MaskedParent.column(other, "SELECT count(*)::text FROM large"))
                    .containsExactly("20000");
        }
    }

    private static void until(Connection connection, String pid, String state) throws Exception {
        while (!MaskedParent.column(connection, "SELECT state FROM pg_stat_activity WHERE pid = " + pid)
                .contains(state)) {
            Thread.sleep(50);
        }
        Thread.sleep(200);
    }

    /** What Postgres calls it, or an error of the page where PostgreSQL 18 reads it itself: its reads end in no other way. */
    private static void assertState(org.assertj.core.api.ThrowableAssert.ThrowingCallable query, String state) {
        assertThatThrownBy(query)
                .asInstanceOf(InstanceOfAssertFactories.type(SQLException.class))
                .extracting(SQLException::getSQLState)
                .isIn(state, IO_ERROR);
    }
}
