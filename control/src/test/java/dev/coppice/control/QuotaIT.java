package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.coppice.control.ControlFixture.Answer;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A project that has used up a quota gets no compute, says which, and goes on when it may use more. */
class QuotaIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static ControlFixture fixture;

    @BeforeAll
    static void open() throws IOException {
        fixture = new ControlFixture(-1);
    }

    @AfterAll
    static void close() throws IOException {
        fixture.close();
    }

    @Test
    void active_time() throws Exception {
        usesUp("active_time_seconds", 1, "active_time_seconds", "active time", "SELECT pg_sleep(1.2)");
    }

    @Test
    void compute_time() throws Exception {
        usesUp("compute_time_seconds", 1, "compute_time_seconds", "compute time", "SELECT pg_sleep(1.2)");
    }

    @Test
    void written_data() throws Exception {
        usesUp(
                "written_data_bytes",
                1 << 20,
                "written_data_bytes",
                "written data",
                "CREATE TABLE filled AS SELECT repeat(md5(n::text), 40) AS text FROM generate_series(1, 3000) n");
    }

    @Test
    void what_a_new_projects_first_compute_does_counts_at_once() throws Exception {
        ProjectFixture project = new ProjectFixture(fixture, "from-the-start");
        String endpoint = project.endpointOf(project.main);
        await().atMost(PATIENCE)
                .until(() -> fixture.control
                        .wiring()
                        .ground
                        .monitor()
                        .lastLsn(endpoint)
                        .isPresent());
        project.execute(
                project.main,
                "CREATE TABLE filled AS SELECT repeat(md5(n::text), 40) AS text FROM generate_series(1, 3000) n");
        // Nobody asked before: it counts from the first look at the log, not from the first question.
        fixture.control.wiring().ground.monitor().suspend(endpoint);
        assertThat(fixture.get(project.base)
                        .body()
                        .at("/project/written_data_bytes")
                        .asLong())
                .isGreaterThan(3_000_000);
        assertThat(fixture.get(project.base)
                        .body()
                        .at("/project/active_time_seconds")
                        .asLong(-1))
                .isNotNegative();
        assertThat(fixture.delete(project.base).status()).isEqualTo(200);
    }

    /** @param used the field of a project that counts towards the quota */
    private static void usesUp(String quota, int limit, String used, String words, String work) throws Exception {
        ProjectFixture project = new ProjectFixture(fixture, quota.replace('_', '-'));
        String endpoint = project.endpointOf(project.main);
        setQuota(project, quota, limit);
        // Once it is seen how far its log is, what it writes counts.
        project.execute(project.main, "SELECT 1");
        await().atMost(PATIENCE)
                .until(() -> fixture.control
                        .wiring()
                        .ground
                        .monitor()
                        .lastLsn(endpoint)
                        .isPresent());
        project.execute(project.main, work);
        await().atMost(PATIENCE)
                .until(() ->
                        fixture.get(project.base).body().at("/project/" + used).asLong() >= limit);
        fixture.computes.suspend(endpoint).join();
        assertThatThrownBy(() -> fixture.control
                        .routing()
                        .wake(endpoint)
                        .toCompletableFuture()
                        .join())
                .isInstanceOf(CompletionException.class)
                .hasMessageContaining("used up its quota of " + words)
                .hasMessageContaining(Integer.toString(limit));
        Answer refused = fixture.post(project.base + "/endpoints/" + endpoint + "/start", "");
        assertThat(refused.status()).isEqualTo(412);
        assertThat(refused.text("/message")).contains("used up its quota of " + words);
        // Others are not concerned.
        ProjectFixture other = new ProjectFixture(fixture, "other-" + quota.replace('_', '-'));
        assertThat(other.query(other.main, "SELECT 1")).isEqualTo("1");
        setQuota(project, quota, Integer.MAX_VALUE);
        assertThat(project.query(project.main, "SELECT 1")).isEqualTo("1");
        assertThat(fixture.delete(other.base).status()).isEqualTo(200);
        assertThat(fixture.delete(project.base).status()).isEqualTo(200);
    }

    private static void setQuota(ProjectFixture project, String quota, int limit) {
        Answer answer = fixture.patch(
                project.base, "{\"project\":{\"settings\":{\"quota\":{\"" + quota + "\":" + limit + "}}}}");
        assertThat(answer.status()).as(answer.body().toString()).isEqualTo(200);
    }
}
