package dev.coppice.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The same with psql, which is libpq, where it is installed. */
class PsqlIT {
    private static ProxyFixture fixture;

    @BeforeAll
    static void start() throws Exception {
        assumeTrue(psqlWorks(), "psql is not installed");
        fixture = ProxyFixture.start();
    }

    // Asked rather than looked for: a distribution's wrapper script may be there without the program.
    private static boolean psqlWorks() throws InterruptedException {
        try {
            return new ProcessBuilder("psql", "--version")
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException _) {
            return false;
        }
    }

    @AfterAll
    static void stop() throws Exception {
        if (fixture != null) {
            fixture.close();
        }
    }

    @BeforeEach
    void awake() {
        fixture.awake();
    }

    @Test
    void connects_to_the_default_branch() throws Exception {
        assertThat(psql("dbname=shop", "select current_user")).isEqualTo("alice\n");
        assertThat(fixture.directory.woken).containsExactly("ep-main-1");
    }

    @Test
    void connects_by_options_in_a_uri_and_stays_there_over_backslash_c() throws Exception {
        String uri = "postgresql://alice@127.0.0.1:" + fixture.port() + "/shop?options=endpoint%3Dep-dev-2";
        assertThat(run(List.of("psql", "-XAtq", uri), "\\c postgres\nselect current_database();\n"))
                .endsWith("postgres\n");
        assertThat(fixture.directory.woken).containsExactly("ep-dev-2", "ep-dev-2");
    }

    @Test
    void connects_by_server_name_with_channel_binding() throws Exception {
        assertThat(psql(
                        "dbname=shop host=ep-dev-2.localhost hostaddr=127.0.0.1 sslmode=require"
                                + " channel_binding=require",
                        "select 1"))
                .isEqualTo("1\n");
        assertThat(fixture.directory.woken).containsExactly("ep-dev-2");
    }

    @Test
    void connects_by_branch_as_server_name_and_verifies_the_certificate() throws Exception {
        assertThat(psql(
                        "dbname=shop host=dev.localhost hostaddr=127.0.0.1 sslmode=verify-full sslrootcert="
                                + fixture.tlsDirectory.resolve("server.crt"),
                        "select 1"))
                .isEqualTo("1\n");
        assertThat(fixture.directory.woken).containsExactly("ep-dev-2");
    }

    @Test
    void a_host_name_of_localhost_is_no_hint() throws Exception {
        assertThat(psql("dbname=shop host=localhost hostaddr=127.0.0.1 sslmode=require", "select 1"))
                .isEqualTo("1\n");
        assertThat(fixture.directory.woken).containsExactly("ep-main-1");
    }

    @Test
    void connects_by_database_at_branch() throws Exception {
        assertThat(psql("dbname=shop@dev", "select current_database()")).isEqualTo("shop\n");
        assertThat(fixture.directory.woken).containsExactly("ep-dev-2");
    }

    @Test
    void shows_errors_with_their_hints() throws Exception {
        assertThat(psql("dbname=shop@ep-main-1 options=endpoint=ep-dev-2", "select 1"))
                .contains("contradictory destinations")
                .contains("HINT:");
        assertThat(psql("dbname=shop user=mallory", "select 1"))
                .contains("password authentication failed for user \"mallory\"");
        assertThat(psql("dbname=nowhere", "select 1")).contains("database \"nowhere\" does not exist");
    }

    @Test
    void copies_in_and_out() throws Exception {
        String script = "create temp table t (a int);\n\\copy t from stdin\n1\n2\n\\.\ncopy t to stdout;\n";
        assertThat(run(List.of("psql", "-XAtq", conninfo("dbname=shop")), script))
                .isEqualTo("1\n2\n");
    }

    private static String conninfo(String parameters) {
        return "host=127.0.0.1 port=" + fixture.port() + " user=alice sslmode=disable " + parameters;
    }

    private static String psql(String parameters, String query) throws IOException, InterruptedException {
        return run(List.of("psql", "-XAtq", "-c", query, conninfo(parameters)), "");
    }

    private static String run(List<String> command, String input) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(command)).redirectErrorStream(true);
        builder.environment().put("PGPASSWORD", ProxyFixture.PASSWORD);
        Process process = builder.start();
        try (var stdin = process.getOutputStream()) {
            stdin.write(input.getBytes(UTF_8));
        }
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        process.waitFor();
        return output;
    }
}
