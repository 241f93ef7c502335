package dev.coppice.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.impossibl.postgres.jdbc.PGDriver;
import java.io.ByteArrayOutputStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.postgresql.PGConnection;

/** What drivers see through the proxy, with a real Postgres behind it. */
class ProxyIT {
    @RegisterExtension
    static final ProxyFixture fixture = new ProxyFixture();

    @Test
    void pgjdbc_connects_in_clear() throws Exception {
        try (Connection connection = fixture.connect("shop")) {
            assertThat(ProxyFixture.one(connection, "select current_database() || ' ' || current_user"))
                    .isEqualTo("shop alice");
        }
    }

    @Test
    void pgjdbc_connects_with_tls_asked_for() throws Exception {
        try (Connection connection = fixture.connect("shop", "sslmode", "require", "channelBinding", "require")) {
            assertThat(ProxyFixture.one(connection, "select 1")).isEqualTo("1");
        }
    }

    @Test
    void pgjdbc_connects_with_direct_tls() throws Exception {
        try (Connection connection = fixture.connect("shop", "sslmode", "require", "sslNegotiation", "direct")) {
            assertThat(ProxyFixture.one(connection, "select 1")).isEqualTo("1");
        }
    }

    @Test
    void pgjdbc_verifies_the_self_signed_certificate_against_itself() throws Exception {
        String root = fixture.tlsDirectory.resolve("server.crt").toString();
        try (Connection connection = fixture.connect("shop", "sslmode", "verify-full", "sslrootcert", root)) {
            assertThat(ProxyFixture.one(connection, "select 1")).isEqualTo("1");
        }
    }

    @Test
    void pgjdbc_speaks_protocol_3_2() throws Exception {
        try (Connection connection = fixture.connect("shop", "protocolVersion", "3.2")) {
            assertThat(ProxyFixture.one(connection, "select 1")).isEqualTo("1");
        }
    }

    @Test
    void pgjdbc_ng_connects_by_database_at_branch() throws Exception {
        Properties properties = new Properties();
        properties.setProperty("user", "alice");
        properties.setProperty("password", ProxyFixture.PASSWORD);
        String url = "jdbc:pgsql://127.0.0.1:" + fixture.port() + "/shop%40dev";
        try (Connection connection = new PGDriver().connect(url, properties)) {
            assertThat(ProxyFixture.one(connection, "select current_database()"))
                    .isEqualTo("shop");
        }
    }

    @Test
    void pgjdbc_ng_connects_with_tls() throws Exception {
        Properties properties = new Properties();
        properties.setProperty("user", "alice");
        properties.setProperty("password", ProxyFixture.PASSWORD);
        properties.setProperty("ssl.mode", "require");
        try (Connection connection =
                new PGDriver().connect("jdbc:pgsql://127.0.0.1:" + fixture.port() + "/shop", properties)) {
            assertThat(ProxyFixture.one(connection, "select 1")).isEqualTo("1");
        }
    }

    @Test
    void startup_parameters_reach_the_compute_and_our_options_do_not() throws Exception {
        try (Connection connection = fixture.connect(
                "shop@dev", "options", "endpoint=ep-dev-2 -c work_mem=9MB", "ApplicationName", "till")) {
            assertThat(ProxyFixture.one(connection, "show work_mem")).isEqualTo("9MB");
            assertThat(ProxyFixture.one(connection, "show application_name")).isEqualTo("till");
        }
    }

    @Test
    void copies_both_ways() throws Exception {
        try (Connection connection = fixture.connect("shop")) {
            connection.createStatement().execute("create temp table copied (id int, what text)");
            StringBuilder rows = new StringBuilder();
            for (int i = 0; i < 100_000; i++) {
                rows.append(i).append("\tthe row number ").append(i).append('\n');
            }
            var copy = connection.unwrap(PGConnection.class).getCopyAPI();
            assertThat(copy.copyIn("copy copied from stdin", new StringReader(rows.toString())))
                    .isEqualTo(100_000);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            copy.copyOut("copy (select * from copied order by id) to stdout", out);
            assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo(rows.toString());
        }
    }

    @Test
    void cancels_a_running_query() throws Exception {
        for (String version : new String[] {"3.0", "3.2"}) {
            try (Connection connection = fixture.connect("shop", "protocolVersion", version);
                    var statement = connection.createStatement()) {
                CompletableFuture<SQLException> ended = CompletableFuture.supplyAsync(() -> {
                    try {
                        statement.execute("select pg_sleep(60)");
                        throw new AssertionError("was not cancelled");
                    } catch (SQLException e) {
                        return e;
                    }
                });
                while (!ended.isDone()) {
                    Thread.sleep(50);
                    statement.cancel();
                }
                assertThat(ended.get().getSQLState()).isEqualTo("57014");
                assertThat(ProxyFixture.one(connection, "select 1")).isEqualTo("1");
            }
        }
        assertThat(fixture.directory.wakes).hasValue(2);
    }

    @Test
    void the_process_id_is_that_of_the_backend() throws Exception {
        try (Connection connection = fixture.connect("shop")) {
            assertThat(ProxyFixture.one(connection, "select pg_backend_pid()"))
                    .isEqualTo(Integer.toString(
                            connection.unwrap(PGConnection.class).getBackendPID()));
        }
    }

    @Test
    void wrong_passwords_and_unknown_names_look_the_same_and_wake_nothing() {
        assertRefused("shop", "alice", "wrong", "28P01");
        assertRefused("shop", "mallory", ProxyFixture.PASSWORD, "28P01");
        assertRefused("shop@nowhere", "alice", ProxyFixture.PASSWORD, "28P01");
        assertRefused("shop", "coppice_admin", ProxyFixture.PASSWORD, "28P01");
        assertRefused("shop", "alice", ProxyFixture.PASSWORD, "28P01", "options", "endpoint=ep-nowhere-0");
        assertRefused("shop@main", "alice", ProxyFixture.PASSWORD, "28P01", "options", "endpoint=ep-dev-2");
        assertThat(fixture.directory.wakes).hasValue(0);
    }

    @Test
    void contradictory_hints_are_explained_and_wake_nothing() {
        assertThatThrownBy(() -> fixture.connect("shop@ep-main-1", "options", "endpoint=ep-dev-2"))
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("08P01"))
                .hasMessageContaining("contradictory destinations")
                .hasMessageContaining("in one place only");
        assertThat(fixture.directory.wakes).hasValue(0);
    }

    @Test
    void an_unknown_database_is_the_computes_own_error() {
        assertRefused("nowhere", "alice", ProxyFixture.PASSWORD, "3D000");
    }

    @Test
    void a_password_changed_behind_the_proxys_back_is_the_computes_own_error() throws Exception {
        fixture.directory.verifiers.put("bob", TestVerifiers.verifier("old", "salt"));
        try (Connection connection = fixture.connect("shop")) {
            connection
                    .createStatement()
                    .execute("create role bob login password '" + TestVerifiers.verifier("new", "salt") + "'");
            assertRefused("shop", "bob", "old", "28P01");
            connection.createStatement().execute("drop role bob");
        }
    }

    @Test
    void replication_connections_pass() throws Exception {
        try (Connection connection = fixture.connect(
                "shop", "replication", "database", "assumeMinServerVersion", "18", "preferQueryMode", "simple")) {
            assertThat(ProxyFixture.one(connection, "IDENTIFY_SYSTEM")).isNotBlank();
        }
    }

    private static void assertRefused(
            String database, String user, String password, String sqlState, String... properties) {
        assertThatThrownBy(() -> ProxyFixture.connect(fixture.port(), database, user, password, properties)
                        .close())
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo(sqlState));
    }
}
