package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.control.ControlFixture.Answer;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.timeline.BranchPointRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What comes with the data of another branch: what must be switched off, what recovery needs, and settings that Postgres does not start with. */
class InheritedIT {
    private static ControlFixture control;

    @BeforeAll
    static void open() throws IOException {
        control = new ControlFixture(-1);
    }

    @AfterAll
    static void close() throws IOException {
        control.close();
    }

    private static String text(Path socket, String sql) throws SQLException {
        try (Connection connection = SuperuserSql.open(socket, "coppice");
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return String.valueOf(row.getString(1));
        }
    }

    private static Path moment(ProjectFixture project, String branch) {
        Branch row = project.row(branch);
        return control.control
                .wiring()
                .travel
                .wake(
                        row,
                        new BranchPointRequest.AtLsn(control.pages
                                .timeline(new dev.coppice.common.TimelineId(row.timelineId()))
                                .endOfWal()))
                .socket();
    }

    private static void restart(ProjectFixture project, String branch) {
        Answer answer = control.post(project.base + "/endpoints/" + project.endpointOf(branch) + "/restart", "{}");
        assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
    }

    private static void settings(ProjectFixture project, String branch, String json, int status) {
        Answer answer = control.patch(
                project.base + "/endpoints/" + project.endpointOf(branch),
                "{\"endpoint\":{\"settings\":{\"pg_settings\":" + json + "}}}");
        assertThat(answer.status()).as(answer.toString()).isEqualTo(status);
    }

    /** A subscription's slot is the parent's: a copy that used it would take away what is meant for the parent. */
    @Test
    void aCopyOfASubscriberDoesNotSubscribe() throws SQLException {
        ProjectFixture project = new ProjectFixture(control, "subscriber");
        project.executeIn(
                project.main,
                "coppice",
                "CREATE TABLE t (a int)",
                "CREATE SUBSCRIPTION sub CONNECTION 'host=/nowhere' PUBLICATION p WITH (connect = false, slot_name = 'theirs')",
                "ALTER SUBSCRIPTION sub ENABLE");
        String on = "SELECT subenabled || ' ' || coalesce(subslotname, 'none') FROM pg_subscription";
        assertThat(project.queryIn(project.main, "coppice", on)).isEqualTo("true theirs");

        String child = project.created("child");
        assertThat(project.queryIn(child, "coppice", on)).isEqualTo("false none");
        assertThat(project.queryIn(child, "coppice", "SHOW max_logical_replication_workers"))
                .isEqualTo("4");
        assertThat(project.get(child).body().at("/branch/switched_off").toString())
                .contains("subscription \\\"sub\\\" of database \\\"coppice\\\"");
        assertThat(project.get(project.main).body().at("/branch/switched_off").isMissingNode())
                .isTrue();
        // Who turns it on again in the copy has decided so.
        project.executeIn(
                child, "coppice", "ALTER SUBSCRIPTION sub SET (slot_name = 'ours')", "ALTER SUBSCRIPTION sub ENABLE");
        restart(project, child);
        assertThat(project.queryIn(child, "coppice", on)).isEqualTo("true ours");
        assertThat(project.queryIn(project.created("grandchild", child), "coppice", on))
                .isEqualTo("false none");

        Path moment = moment(project, project.main);
        assertThat(text(moment, "SHOW max_logical_replication_workers")).isEqualTo("0");
        assertThat(text(moment, "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'logical%'"))
                .isEqualTo("0");

        Answer restored = control.post(
                project.base + "/branches/" + project.main + "/restore",
                "{\"source_branch_id\":\"" + project.main + "\",\"source_lsn\":\""
                        + control.pages
                                .timeline(new dev.coppice.common.TimelineId(
                                        project.row(project.main).timelineId()))
                                .endOfWal()
                        + "\",\"preserve_under_name\":\"before\"}");
        assertThat(restored.status()).as(restored.toString()).isEqualTo(200);
        assertThat(project.queryIn(project.main, "coppice", on)).isEqualTo("false none");
        String preserved = control.control
                .wiring()
                .ground
                .catalog()
                .inventory()
                .branchNamed(project.id, "before")
                .orElseThrow()
                .id();
        assertThat(project.queryIn(preserved, "coppice", on)).isEqualTo("false none");
    }

    /** Prepared transactions are in the data, and the settings that they need are the endpoint's. */
    @Test
    void whatRecoveryNeedsComesWithTheData() throws SQLException {
        ProjectFixture project = new ProjectFixture(control, "prepared");
        settings(
                project,
                project.main,
                "{\"max_prepared_transactions\":\"10\",\"max_connections\":\"250\",\"max_locks_per_transaction\":\"100\","
                        + "\"max_worker_processes\":\"20\"}",
                200);
        project.executeIn(
                project.main,
                "coppice",
                "CREATE TABLE t (a int)",
                "BEGIN",
                "INSERT INTO t VALUES (1)",
                "PREPARE TRANSACTION 'one'");
        String gids = "SELECT string_agg(gid, ' ') FROM pg_prepared_xacts";
        String child = project.created("child");
        assertThat(project.queryIn(child, "coppice", gids)).isEqualTo("one");
        assertThat(text(moment(project, project.main), gids)).isEqualTo("one");
        // Also when the child's own endpoint says otherwise, crashed or not.
        Answer less = control.post(
                project.base + "/branches",
                "{\"branch\":{\"name\":\"less\",\"parent_id\":\"" + project.main
                        + "\"},\"endpoints\":[{\"type\":\"read_write\",\"settings\":{\"pg_settings\":{\"max_prepared_transactions\":\"0\"}}}]}");
        assertThat(less.status()).as(less.toString()).isEqualTo(201);
        assertThat(project.queryIn(less.text("/branch/id"), "coppice", gids)).isEqualTo("one");
        Answer schema = project.create(
                "\"name\":\"schema\",\"parent_id\":\"" + project.main + "\",\"init_source\":\"schema-only\"");
        assertThat(schema.status()).as(schema.toString()).isEqualTo(201);
        Answer masked = control.post(
                project.base + "/branch_anonymized",
                "{\"branch_create\":{\"branch\":{\"name\":\"masked\",\"parent_id\":\"" + project.main
                        + "\"}},\"masking_rules\":[{\"database_name\":\"coppice\",\"schema_name\":\"public\",\"table_name\":\"t\","
                        + "\"column_name\":\"a\",\"masking_function\":\"null()\"}]}");
        assertThat(masked.status()).as(masked.toString()).isEqualTo(201);
        assertThat(project.query(masked.text("/branch/id"), "SELECT 1")).isEqualTo("1");
    }

    @Test
    void aSettingThatPostgresDoesNotStartWithIsLeftOutAndNamed() throws SQLException {
        ProjectFixture project = new ProjectFixture(control, "broken");
        Map<String, String> bad = Map.of(
                "shared_preload_libraries", "no_such_library",
                "shared_buffers", "900GB",
                "wal_level", "minimal",
                "huge_pages", "on",
                "dynamic_shared_memory_type", "mmap",
                "hba_file", "/nowhere/none",
                "ssl", "on");
        for (Map.Entry<String, String> each : bad.entrySet()) {
            project.execute(project.main, "ALTER SYSTEM SET " + each.getKey() + " = '" + each.getValue() + "'");
            restart(project, project.main);
            assertThat(project.query(project.main, "SELECT 1")).isEqualTo("1");
            String leftOut = project.get(project.main)
                    .body()
                    .at("/branch/settings_left_out")
                    .toString();
            // Those that the command line holds off do no harm, and need no word.
            if (!project.query(
                            project.main,
                            "SELECT count(*) FROM pg_settings WHERE name = '" + each.getKey()
                                    + "' AND source = 'command line'")
                    .equals("0")) {
                assertThat(leftOut).doesNotContain("max_connections");
            }
            if (each.getKey().equals("shared_preload_libraries")) {
                assertThat(leftOut)
                        .contains("shared_preload_libraries = 'no_such_library'")
                        .contains("FATAL");
                String child = project.created("child-of-broken");
                assertThat(project.query(child, "SELECT 1")).isEqualTo("1");
            }
            project.execute(project.main, "ALTER SYSTEM RESET " + each.getKey());
        }
        restart(project, project.main);
        assertThat(project.get(project.main)
                        .body()
                        .at("/branch/settings_left_out")
                        .isMissingNode())
                .isTrue();
        assertThat(project.get(project.main).text("/branch/current_state")).isEqualTo("ready");
        // Asked for by the API it is refused, as before.
        settings(project, project.main, "{\"shared_preload_libraries\":\"no_such_library\"}", 422);
        assertThat(project.query(project.main, "SHOW shared_preload_libraries")).isEmpty();
        settings(project, project.main, "{\"shared_preload_libraries\":\"/tmp/evil.so\"}", 422);
        settings(project, project.main, "{\"archive_command\":\"id > /tmp/id\"}", 422);
    }
}
