package dev.coppice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.cli.api.RecordedApi;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Snapshots, schema differences, expiry, protection and recovery: what is asked of the API. */
class WorkflowCommandsTest {
    private static final String P = "/projects/green-oak-12345678";
    private static final String MAIN = "br-old-elm-11111111";
    private static final String DEV = "br-young-ash-22222222";
    private static final String SNAPSHOT = "snap-cold-fern-33333333";

    private final RecordedApi api = new RecordedApi();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeEach
    void recordAServer() {
        String branches = """
                {"branches":[{"id":"%s","name":"main","default":true},{"id":"%s","name":"dev"}]}""".formatted(MAIN, DEV);
        api.on("GET " + P + "/branches", 200, branches)
                .on("GET " + P + "/snapshots", 200, """
                        {"snapshots":[{"id":"%s","name":"v1","source_branch_id":"%s","lsn":"0/16B3748"}]}""".formatted(SNAPSHOT, MAIN));
    }

    @AfterEach
    void stopTheServer() {
        api.close();
    }

    @Test
    void a_snapshot_is_taken_of_a_past_moment_with_a_name_and_an_end() {
        String request = "POST " + P + "/branches/" + DEV
                + "/snapshot?lsn=0%2F16B3748&name=before%20it&expires_at=2026-12-01T00%3A00%3A00Z";
        api.on(request, 200, "{\"snapshot\":{\"id\":\"" + SNAPSHOT + "\",\"name\":\"before it\"},\"operations\":[]}");
        assertThat(run(
                        "snapshots",
                        "create",
                        "dev@0/16b3748",
                        "--name",
                        "before it",
                        "--expires-at",
                        "2026-12-01T00:00:00Z"))
                .as(err.toString())
                .isZero();
        assertThat(api.requests()).contains(request);
        assertThat(out.toString()).contains("before it", SNAPSHOT);
    }

    @Test
    void a_snapshot_is_restored_by_name_and_finalized() {
        api.on(
                        "POST " + P + "/snapshots/" + SNAPSHOT + "/restore",
                        200,
                        "{\"branch\":{\"name\":\"look\"},\"operations\":[]}")
                .on("POST " + P + "/branches/" + DEV + "/finalize_restore", 200, "{\"operations\":[]}")
                .on("GET " + P + "/branches/" + DEV, 200, "{\"branch\":{\"name\":\"main\"}}");
        assertThat(run("snapshots", "restore", "v1", "--name", "look"))
                .as(err.toString())
                .isZero();
        assertThat(last())
                .isEqualTo("POST " + P + "/snapshots/" + SNAPSHOT
                        + "/restore {\"finalize_restore\":false,\"name\":\"look\"}");
        assertThat(run("snapshots", "finalize", "dev", "--old-name", "bad")).isZero();
        assertThat(api.requests()).contains("POST " + P + "/branches/" + DEV + "/finalize_restore {\"name\":\"bad\"}");
        assertThat(run("snapshots", "delete", "v2")).isEqualTo(1);
        assertThat(err.toString()).contains("there is no snapshot \"v2\"");
    }

    @Test
    void a_schedule_is_set_and_shown() {
        api.on("PUT " + P + "/branches/" + MAIN + "/backup_schedule", 200, "{}")
                .on("GET " + P + "/branches/" + MAIN + "/backup_schedule", 200, """
                        {"schedule":[{"frequency":"daily","hour":3,"retention_seconds":7200}]}""");
        assertThat(run("snapshots", "schedule", "main", "--daily", "3", "--retention", "2h"))
                .as(err.toString())
                .isZero();
        assertThat(api.requests())
                .contains(
                        "PUT " + P + "/branches/" + MAIN
                                + "/backup_schedule {\"schedule\":[{\"frequency\":\"daily\",\"hour\":3,\"retention_seconds\":7200}]}");
        assertThat(out.toString()).contains("FREQUENCY", "daily", "7200");
    }

    @Test
    void a_schema_difference_is_printed_for_each_database() {
        api.on(
                        "GET " + P + "/branches/" + DEV + "/databases",
                        200,
                        "{\"databases\":[{\"name\":\"a\"},{\"name\":\"b\"}]}")
                .on(
                        "GET " + P + "/branches/" + DEV + "/compare_schema?db_name=a&base_branch_id=" + MAIN
                                + "&base_lsn=0%2F16B3748",
                        200,
                        "{\"diff\":\"--- a/main\\n+++ b/dev\"}")
                .on(
                        "GET " + P + "/branches/" + DEV + "/compare_schema?db_name=b&base_branch_id=" + MAIN
                                + "&base_lsn=0%2F16B3748",
                        200,
                        "{\"diff\":\"\"}");
        assertThat(run("branches", "schema-diff", "main@0/16B3748", "dev"))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).isEqualTo("Database: a\n--- a/main\n+++ b/dev\n");
        assertThat(run("branches", "schema-diff", "main@0/16B3748", "dev", "--exit-code"))
                .isEqualTo(1);
        assertThat(run("branches", "schema-diff", "main@0/16B3748", "dev", "--exit-code", "--database", "b"))
                .isZero();
    }

    @Test
    void expiry_protection_and_schema_only_are_fields_of_a_branch() {
        api.on("PATCH " + P + "/branches/" + DEV, 200, "{\"branch\":{}}")
                .on("POST " + P + "/branches", 201, "{\"branch\":{},\"connection_uris\":[{\"connection_uri\":\"x\"}]}");
        assertThat(run("branches", "set-expiration", "dev", "2026-12-01T00:00:00Z"))
                .isZero();
        assertThat(last()).endsWith("{\"branch\":{\"expires_at\":\"2026-12-01T00:00:00Z\"}}");
        assertThat(run("branches", "set-expiration", "dev")).isZero();
        assertThat(last()).endsWith("{\"branch\":{\"expires_at\":null}}");
        assertThat(run("branches", "protect", "dev")).isZero();
        assertThat(last()).endsWith("{\"branch\":{\"protected\":true}}");
        assertThat(run("branches", "create", "--name", "s", "--schema-only")).isZero();
        assertThat(last()).contains("\"init_source\":\"schema-only\"");
    }

    @Test
    void the_last_deleted_branch_of_a_name_is_recovered_and_a_hard_deletion_says_so() {
        api.on("GET " + P + "/branches?include_deleted=true", 200, """
                        {"branches":[{"id":"br-a-b-1","name":"x","recovery":{"deleted_at":"2026-11-20T00:00:00Z"}},
                         {"id":"br-a-b-2","name":"x","recovery":{"deleted_at":"2026-11-21T00:00:00Z"}},
                         {"id":"br-a-b-3","name":"x"}]}""")
                .on("POST " + P + "/branches/br-a-b-2/recover", 200, "{\"branch\":{\"name\":\"x\"}}")
                .on("DELETE " + P + "/branches/" + DEV + "?hard_delete=true", 200, "{\"branch\":{}}")
                .on("POST " + P + "/recover", 200, "{\"project\":{}}");
        assertThat(run("branches", "recover", "x")).as(err.toString()).isZero();
        assertThat(last()).isEqualTo("POST " + P + "/branches/br-a-b-2/recover");
        assertThat(run("branches", "recover", "y")).isEqualTo(1);
        assertThat(run("branches", "delete", "dev", "--hard"))
                .as(err.toString())
                .isZero();
        assertThat(run("projects", "recover", "green-oak-12345678")).isZero();
    }

    private String last() {
        return api.requests().getLast();
    }

    private int run(String... arguments) {
        return Main.run(
                new PrintWriter(out),
                new PrintWriter(err),
                Map.of(
                        "COPPICE_API_URL",
                        api.url() + "/api/v2",
                        "COPPICE_API_KEY",
                        RecordedApi.KEY,
                        "COPPICE_PROJECT_ID",
                        "green-oak-12345678"),
                arguments);
    }
}
