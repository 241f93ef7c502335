package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.coppice.control.ControlFixture.Answer;
import dev.coppice.control.catalog.Steps;
import dev.coppice.control.deletion.RecoveryWindow;
import dev.coppice.control.ephemeral.TimeTravel;
import dev.coppice.control.secret.ScramVerifier;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What may not be done with a branch, how it ends by itself, and how it comes back. */
class BranchRulesIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static ControlFixture fixture;

    private ProjectFixture project;

    @BeforeAll
    static void open() throws IOException {
        fixture = new ControlFixture(-1, new TimeTravel.Limits(10, 2), new RecoveryWindow(600, 600), Steps.NONE);
    }

    @AfterAll
    static void close() throws IOException {
        fixture.close();
    }

    @BeforeEach
    void makeProject() {
        project = new ProjectFixture(fixture, "rules");
    }

    @Test
    void a_protected_branch_cannot_be_deleted_reset_or_expire_until_its_protection_ends() {
        String staging = project.created("staging");
        assertThat(project.patch(staging, "\"protected\":true").status()).isEqualTo(200);
        assertRefused(project.delete(staging), "protected");
        assertRefused(fixture.delete(project.base), "protected");
        assertRefused(
                fixture.post(
                        project.base + "/branches/" + staging + "/restore",
                        "{\"source_branch_id\":\"" + project.main + "\"}"),
                "protected");
        assertRefused(project.patch(staging, "\"expires_at\":\"" + inSeconds(3600) + "\""), "protected");
        assertThat(project.patch(staging, "\"protected\":false").status()).isEqualTo(200);
        assertThat(project.delete(staging).status()).isEqualTo(200);
    }

    @Test
    void roles_of_a_protected_branchs_child_have_new_passwords_that_a_reset_keeps() throws Exception {
        project.execute(project.main, "CREATE TABLE t (n int)");
        String before = password(project.main);
        project.patch(project.main, "\"protected\":true");
        Answer made = project.create("\"name\":\"dev\"");
        String dev = made.text("/branch/id");
        String fresh = password(dev);
        assertThat(fresh).isNotEqualTo(before);
        assertThat(made.text("/connection_uris/0/connection_uri")).contains(fresh);
        assertThat(ScramVerifier.matches(fresh, verifier(dev))).isTrue();
        assertThat(ScramVerifier.matches(before, verifier(dev))).isFalse();
        assertThat(project.query(dev, "SELECT rolpassword FROM pg_authid WHERE rolname = 'coppice_owner'"))
                .isEqualTo(verifier(dev));
        assertThat(password(project.main)).isEqualTo(before);
        Answer reset = fixture.post(
                project.base + "/branches/" + dev + "/restore", "{\"source_branch_id\":\"" + project.main + "\"}");
        assertThat(reset.status()).as(reset.body().toString()).isEqualTo(200);
        assertThat(password(dev)).isEqualTo(fresh);
        assertThat(ScramVerifier.matches(fresh, verifier(dev))).isTrue();
    }

    @Test
    void the_default_the_root_and_a_parent_of_others_stay() {
        assertRefused(project.delete(project.main), "default");
        String child = project.created("child");
        String grandchild = project.created("grandchild", child);
        assertRefused(project.delete(child), "grandchild");
        fixture.post(project.base + "/branches/" + child + "/set_as_default", "");
        assertRefused(project.delete(project.main), "child");
        assertThat(project.delete(grandchild).status()).isEqualTo(200);
        fixture.post(project.base + "/branches/" + project.main + "/set_as_default", "");
        assertThat(project.delete(child).status()).isEqualTo(200);
        String schema = project.create("\"name\":\"schema\",\"init_source\":\"schema-only\"")
                .text("/branch/id");
        fixture.post(project.base + "/branches/" + schema + "/set_as_default", "");
        assertRefused(project.delete(project.main), "root");
    }

    @Test
    void a_branch_is_deleted_when_its_time_has_come_also_when_the_server_was_away() throws Exception {
        Answer made = project.create("\"name\":\"preview-pr-142\",\"expires_at\":\"" + inSeconds(3600) + "\"");
        assertThat(made.status()).as(made.body().toString()).isEqualTo(201);
        String preview = made.text("/branch/id");
        assertThat(project.get(preview)
                        .body()
                        .at("/branch/ttl_interval_seconds")
                        .asInt())
                .isBetween(3590, 3600);
        assertThat(project.patch(preview, "\"expires_at\":null").text("/branch/expires_at"))
                .isEmpty();
        String soon = inSeconds(2);
        assertThat(project.patch(preview, "\"expires_at\":\"" + soon + "\"").text("/branch/expires_at"))
                .isEqualTo(soon);
        fixture.abandon();
        fixture.open();
        await().atMost(PATIENCE).until(() -> project.get(preview).status() == 404);
        Answer deleted = fixture.get(project.base + "/branches?include_deleted=true&search=preview");
        assertThat(deleted.text("/branches/0/recovery/deletion_method")).isEqualTo("ttl");
        Answer recovered = fixture.post(project.base + "/branches/" + preview + "/recover", "");
        assertThat(recovered.text("/branch/expires_at")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"2020-01-01T00:00:00Z, not in the future", "2099-01-01T00:00:00Z, at most 30 days", "tomorrow, RFC 3339"
    })
    void an_impossible_expiry_is_refused(String time, String words) {
        Answer answer = project.create("\"name\":\"x\",\"expires_at\":\"" + time + "\"");
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.text("/message")).contains(words);
    }

    @Test
    void what_others_depend_on_cannot_expire() {
        String expires = "\"expires_at\":\"" + inSeconds(3600) + "\"";
        assertRefused(project.patch(project.main, expires), "default");
        String parent = project.created("parent");
        project.created("child", parent);
        assertRefused(project.patch(parent, expires), "children");
        String preview = project.create("\"name\":\"preview\"," + expires).text("/branch/id");
        assertRefused(project.create("\"name\":\"y\",\"parent_id\":\"" + preview + "\""), "expires");
        assertRefused(project.patch(preview, "\"protected\":true"), "expires");
        assertRefused(fixture.post(project.base + "/branches/" + preview + "/set_as_default", ""), "expires");
    }

    @Test
    void a_deleted_branch_comes_back_with_its_data_its_address_and_its_passwords() throws Exception {
        String dev = project.created("dev");
        String endpoint = project.endpointOf(dev);
        String password = password(dev);
        project.execute(dev, "CREATE TABLE t AS SELECT 7 AS n");
        assertThat(project.delete(dev).status()).isEqualTo(200);
        assertThat(project.get(dev).status()).isEqualTo(404);
        assertThat(fixture.control.routing().byEndpointId(endpoint)).isEmpty();
        assertThat(fixture.get(project.base + "/endpoints/" + endpoint).status())
                .isEqualTo(404);
        assertThat(fixture.get(project.base + "/branches").body().at("/branches"))
                .hasSize(1);
        assertThat(fixture.get(project.base + "/branches?include_deleted=true")
                        .body()
                        .at("/branches"))
                .hasSize(2);
        fixture.abandon();
        fixture.open();
        String other = project.created("dev");
        Answer taken = fixture.post(project.base + "/branches/" + dev + "/recover", "");
        assertThat(taken.status()).isEqualTo(409);
        project.patch(other, "\"name\":\"other\"");
        Answer recovered = fixture.post(project.base + "/branches/" + dev + "/recover", "");
        assertThat(recovered.status()).as(recovered.body().toString()).isEqualTo(200);
        assertThat(project.endpointOf(dev)).isEqualTo(endpoint);
        assertThat(password(dev)).isEqualTo(password);
        assertThat(project.query(dev, "SELECT n FROM t")).isEqualTo("7");
    }

    @Test
    void a_deleted_child_does_not_keep_its_parent_and_waits_for_it() {
        String parent = project.created("parent");
        String child = project.created("child", parent);
        project.delete(child);
        assertThat(project.delete(parent).status()).isEqualTo(200);
        Answer tooEarly = fixture.post(project.base + "/branches/" + child + "/recover", "");
        assertThat(tooEarly.status()).isEqualTo(412);
        assertThat(tooEarly.text("/message")).contains("parent").contains("recover");
        fixture.post(project.base + "/branches/" + parent + "/recover", "");
        assertThat(fixture.post(project.base + "/branches/" + child + "/recover", "")
                        .status())
                .isEqualTo(200);
        project.delete(child);
        assertThat(fixture.delete(project.base + "/branches/" + parent + "?hard_delete=true")
                        .status())
                .isEqualTo(200);
        Answer orphan = fixture.post(project.base + "/branches/" + child + "/recover", "");
        assertThat(orphan.status()).as(orphan.body().toString()).isEqualTo(200);
        assertThat(orphan.text("/branch/parent_id")).isEqualTo(project.main);
    }

    @Test
    void after_the_window_the_space_is_given_back() throws Exception {
        String dev = project.created("dev");
        project.execute(dev, "CREATE TABLE t AS SELECT generate_series(1, 1000) AS n");
        project.delete(dev);
        assertThat(project.timelines()).contains(dev);
        project.deletedAt(dev, Instant.now().minus(Duration.ofHours(1)));
        await().atMost(PATIENCE).until(() -> !project.timelines().contains(dev));
        await().atMost(PATIENCE)
                .until(() -> fixture.post(project.base + "/branches/" + dev + "/recover", "")
                                .status()
                        == 404);
    }

    @Test
    void a_deleted_project_comes_back_whole() throws Exception {
        String dev = project.created("dev");
        project.execute(dev, "CREATE TABLE t AS SELECT 7 AS n");
        String gone = project.created("gone");
        project.delete(gone);
        assertThat(fixture.delete(project.base).status()).isEqualTo(200);
        assertThat(fixture.get(project.base).status()).isEqualTo(404);
        assertThat(project.get(dev).status()).isEqualTo(404);
        Answer listed = fixture.get("/projects?recoverable=true&search=" + project.id);
        assertThat(listed.text("/projects/0/recoverable_until")).isNotEmpty();
        fixture.abandon();
        fixture.open();
        Answer recovered = fixture.post(project.base + "/recover", "");
        assertThat(recovered.status()).as(recovered.body().toString()).isEqualTo(200);
        assertThat(project.query(dev, "SELECT n FROM t")).isEqualTo("7");
        assertThat(fixture.get(project.base + "/branches").body().at("/branches"))
                .hasSize(2);
        assertThat(fixture.delete(project.base + "?hard_delete=true").status()).isEqualTo(200);
        assertThat(project.timelines()).isEmpty();
        assertThat(fixture.post(project.base + "/recover", "").status()).isEqualTo(404);
    }

    @Test
    void what_is_refused_does_not_make_the_parent_work() throws Exception {
        project.execute(project.main, "CREATE TABLE t AS SELECT generate_series(1, 100000) AS n");
        String checkpoint = "SELECT checkpoint_lsn::text FROM pg_control_checkpoint()";
        String before = project.query(project.main, checkpoint);
        assertThat(fixture.post(
                                project.base + "/branches/" + project.main + "/restore",
                                "{\"source_branch_id\":\"" + project.main + "\"}")
                        .status())
                .isEqualTo(400);
        assertThat(project.query(project.main, checkpoint)).isEqualTo(before);
    }

    private String password(String branch) {
        return fixture.get(project.base + "/branches/" + branch + "/roles/coppice_owner/reveal_password")
                .text("/password");
    }

    private String verifier(String branch) throws Exception {
        return fixture.control
                .routing()
                .verifier(project.endpointOf(branch), "coppice_owner")
                .toCompletableFuture()
                .get()
                .orElseThrow();
    }

    private static void assertRefused(Answer answer, String words) {
        assertThat(answer.status()).as(answer.body().toString()).isEqualTo(422);
        assertThat(answer.text("/message")).contains(words);
    }

    private static String inSeconds(int seconds) {
        return Instant.now()
                .truncatedTo(ChronoUnit.SECONDS)
                .plusSeconds(seconds)
                .toString();
    }
}
