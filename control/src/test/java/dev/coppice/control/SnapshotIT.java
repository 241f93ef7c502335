package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.coppice.control.ControlFixture.Answer;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Snapshots over real storage and real computes. */
class SnapshotIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static ControlFixture fixture;

    private ProjectFixture project;
    private String snapshots;

    @BeforeAll
    static void open() throws IOException {
        fixture = new ControlFixture(-1);
    }

    @AfterAll
    static void close() throws IOException {
        fixture.close();
    }

    @BeforeEach
    void makeProject() throws Exception {
        project = new ProjectFixture(fixture, "snapshots");
        snapshots = project.base + "/snapshots/";
        project.execute(project.main, "CREATE TABLE t (n int)", "INSERT INTO t VALUES (1)");
    }

    @Test
    void a_snapshot_of_now_an_lsn_and_a_time_has_exactly_what_was_there() throws Exception {
        String lsn = project.query(project.main, "SELECT pg_current_wal_insert_lsn()::text");
        project.execute(project.main, "INSERT INTO t VALUES (2)");
        String time = project.query(
                project.main,
                "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')");
        project.execute(project.main, "INSERT INTO t VALUES (3)");
        String now = taken("now", "");
        project.execute(project.main, "INSERT INTO t VALUES (4)");
        assertThat(numbers(restored(taken("lsn", "&lsn=" + lsn)))).isEqualTo("1");
        assertThat(numbers(restored(taken("time", "&timestamp=" + time)))).isEqualTo("1,2");
        assertThat(numbers(restored(now))).isEqualTo("1,2,3");
        assertThat(fixture.post(snapshotPath() + "?name=x&lsn=7/0", "").status())
                .isEqualTo(422);
    }

    @Test
    void snapshots_are_listed_renamed_and_deleted_with_their_space() throws IOException {
        int before = project.timelines().size();
        String id = taken("before migration", "");
        assertThat(project.timelines()).hasSize(before + 1);
        assertThat(fixture.patch(snapshots + id, "{\"snapshot\":{\"name\":\"v1\"}}")
                        .text("/snapshot/name"))
                .isEqualTo("v1");
        Answer listed = fixture.get(project.base + "/snapshots");
        assertThat(listed.body().at("/snapshots")).hasSize(1);
        assertThat(listed.text("/snapshots/0/source_branch_id")).isEqualTo(project.main);
        assertThat(listed.body().at("/snapshots/0/manual").asBoolean()).isTrue();
        fixture.abandon();
        fixture.open();
        assertThat(fixture.get(project.base + "/snapshots").text("/snapshots/0/name"))
                .isEqualTo("v1");
        assertThat(fixture.delete(snapshots + id).status()).isEqualTo(202);
        assertThat(project.timelines()).hasSize(before);
        assertThat(fixture.delete(snapshots + id).status()).isEqualTo(404);
    }

    @Test
    void a_snapshot_outlives_its_branch_and_passwords_are_kept_with_it() throws Exception {
        String dev = project.created("dev");
        project.execute(dev, "INSERT INTO t VALUES (5)");
        String password = password(dev);
        Answer made = fixture.post(project.base + "/branches/" + dev + "/snapshot?name=keep", "");
        project.delete(dev);
        String back = restored(made.text("/snapshot/id"));
        assertThat(numbers(back)).isEqualTo("1,5");
        assertThat(password(back)).isEqualTo(password);
        fixture.delete(snapshots + made.text("/snapshot/id"));
        fixture.computes.suspend(project.endpointOf(back)).join();
        assertThat(numbers(back)).isEqualTo("1,5");
        assertThat(fixture.delete(project.base).status()).isEqualTo(200);
        assertThat(project.timelines()).isEmpty();
    }

    @Test
    void a_restored_branch_is_looked_at_and_then_takes_the_place_of_the_original() throws Exception {
        String snapshot = taken("good", "");
        String endpoint = project.endpointOf(project.main);
        project.execute(project.main, "DROP TABLE t");
        project.execute(project.main, "ALTER ROLE coppice_owner CONNECTION LIMIT 7");
        String newer = fixture.post(
                        project.base + "/branches/" + project.main + "/roles/coppice_owner/reset_password", "")
                .text("/role/password");
        Answer previewed = fixture.post(snapshots + snapshot + "/restore", "{\"name\":\"look\"}");
        assertThat(previewed.status()).as(previewed.body().toString()).isEqualTo(200);
        String look = previewed.text("/branch/id");
        assertThat(previewed.text("/branch/restore_status")).isEqualTo("restored");
        assertThat(previewed.text("/branch/restored_from")).isEqualTo(snapshot);
        assertThat(numbers(look)).isEqualTo("1");
        assertThat(project.endpointOf(project.main)).isEqualTo(endpoint);
        Answer finished =
                fixture.post(project.base + "/branches/" + look + "/finalize_restore", "{\"name\":\"broken\"}");
        assertThat(finished.status()).as(finished.body().toString()).isEqualTo(200);
        assertThat(finished.text("/operations/0/status")).isEqualTo("finished");
        Answer present = project.get(look);
        assertThat(present.text("/branch/name")).isEqualTo("main");
        assertThat(present.body().at("/branch/default").asBoolean()).isTrue();
        assertThat(present.text("/branch/restore_status")).isEqualTo("finalized");
        assertThat(project.get(project.main).text("/branch/name")).isEqualTo("broken");
        assertThat(project.endpointOf(look)).isEqualTo(endpoint);
        assertThat(numbers(look)).isEqualTo("1");
        assertThat(password(look)).isEqualTo(newer);
        assertThat(project.query(project.main, "SELECT to_regclass('t')::text")).isEqualTo("null");
        assertThat(fixture.post(project.base + "/branches/" + look + "/finalize_restore", "")
                        .status())
                .isEqualTo(422);
        fixture.abandon();
        fixture.open();
        assertThat(numbers(look)).isEqualTo("1");
        assertThat(project.delete(project.main).status()).isEqualTo(200);
    }

    @Test
    void a_restore_can_be_finalized_at_once_and_a_protected_branch_is_not_replaced() throws Exception {
        String snapshot = taken("good", "");
        project.execute(project.main, "INSERT INTO t VALUES (2)");
        project.patch(project.main, "\"protected\":true");
        Answer refused = fixture.post(snapshots + snapshot + "/restore", "{\"finalize_restore\":true}");
        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused.text("/message")).contains("protected");
        assertThat(fixture.get(project.base + "/branches").body().at("/branches"))
                .hasSize(1);
        project.patch(project.main, "\"protected\":false");
        Answer done = fixture.post(snapshots + snapshot + "/restore", "{\"finalize_restore\":true}");
        assertThat(done.status()).as(done.body().toString()).isEqualTo(200);
        assertThat(done.text("/branch/name")).isEqualTo("main");
        assertThat(numbers(done.text("/branch/id"))).isEqualTo("1");
        assertThat(project.get(project.main).text("/branch/name")).startsWith("main_old_");
    }

    @Test
    void snapshots_are_taken_by_schedule_and_expire() {
        String path = project.base + "/branches/" + project.main + "/backup_schedule";
        Answer set = fixture.call(
                "PUT",
                path,
                "{\"schedule\":[{\"frequency\":\"daily\",\"hour\":3,\"retention_seconds\":7200},{\"frequency\":\"hourly\"}]}");
        assertThat(set.status()).as(set.body().toString()).isEqualTo(200);
        assertThat(fixture.get(path).body().at("/schedule")).hasSize(2);
        assertThat(fixture.get(path).text("/schedule/0/frequency")).isEqualTo("daily");
        assertThat(fixture.call("PUT", path, "{\"schedule\":[{\"frequency\":\"often\"}]}")
                        .status())
                .isEqualTo(400);
        assertThat(fixture.call("PUT", path, "{\"schedule\":[{\"frequency\":\"daily\",\"hour\":24}]}")
                        .text("/message"))
                .contains("schedule[0].hour");
        sql("UPDATE snapshot_schedules SET next_at = now() - interval '1 day' WHERE frequency = 'daily'");
        await().atMost(PATIENCE)
                .until(() -> fixture.get(project.base + "/snapshots")
                                .body()
                                .at("/snapshots")
                                .size()
                        == 1);
        Answer listed = fixture.get(project.base + "/snapshots");
        assertThat(listed.body().at("/snapshots/0/manual").asBoolean()).isFalse();
        assertThat(Instant.parse(listed.text("/snapshots/0/expires_at")))
                .isAfter(Instant.now().plusSeconds(7000));
        sql("UPDATE snapshots SET expires_at = now() - interval '1 second'");
        await().atMost(PATIENCE)
                .until(() -> fixture.get(project.base + "/snapshots")
                        .body()
                        .at("/snapshots")
                        .isEmpty());
    }

    private static void sql(String statement) {
        fixture.control.wiring().ground.catalog().transaction(connection -> {
            try (java.sql.Statement update = connection.createStatement()) {
                return update.executeUpdate(statement);
            }
        });
    }

    private String snapshotPath() {
        return project.base + "/branches/" + project.main + "/snapshot";
    }

    private String taken(String name, String more) {
        Answer answer = fixture.post(snapshotPath() + "?name=" + name.replace(" ", "%20") + more, "");
        assertThat(answer.status()).as(answer.body().toString()).isEqualTo(200);
        return answer.text("/snapshot/id");
    }

    private String restored(String snapshot) {
        Answer answer = fixture.post(snapshots + snapshot + "/restore", "");
        assertThat(answer.status()).as(answer.body().toString()).isEqualTo(200);
        return answer.text("/branch/id");
    }

    private String password(String branch) {
        return fixture.get(project.base + "/branches/" + branch + "/roles/coppice_owner/reveal_password")
                .text("/password");
    }

    private String numbers(String branch) throws Exception {
        return project.query(branch, "SELECT string_agg(n::text, ',' ORDER BY n) FROM t");
    }
}
