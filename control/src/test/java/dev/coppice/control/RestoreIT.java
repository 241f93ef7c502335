package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeState;
import dev.coppice.control.ControlFixture.Answer;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.rows.OperationRows;
import dev.coppice.control.ephemeral.TimeTravel;
import dev.coppice.control.secret.ScramVerifier;
import dev.coppice.control.timeline.BranchPointRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Restore, reset, retention and past moments over real storage and real computes; each test has a project of its own. */
class RestoreIT {
    private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static ControlFixture fixture;

    private Set<String> others;
    private String base;
    private String main;
    private String mainEndpoint;

    @BeforeAll
    static void open() throws IOException {
        fixture = new ControlFixture(-1, new TimeTravel.Limits(10, 2));
    }

    @AfterAll
    static void close() throws IOException {
        fixture.close();
    }

    @BeforeEach
    void makeProject() throws Exception {
        others = Set.copyOf(names(fixture.pages.timelines()));
        Answer made = fixture.post("/projects", "{\"project\":{\"name\":\"restore\"}}");
        base = "/projects/" + made.text("/project/id");
        main = made.text("/branch/id");
        mainEndpoint = endpointOf(main);
        execute(mainEndpoint, "CREATE TABLE t (n int)");
        execute(mainEndpoint, "INSERT INTO t VALUES (1)");
    }

    @AfterEach
    void deleteProject() {
        assertThat(fixture.delete(base).status()).isIn(200, 404);
        await().atMost(PATIENCE).until(() -> hidden().isEmpty());
        assertThat(timelines()).isEmpty();
    }

    @Test
    void a_branch_goes_back_to_its_own_past_and_what_it_was_is_preserved_with_its_children() throws Exception {
        String child = created("kid");
        Lsn before = position(mainEndpoint);
        execute(mainEndpoint, "INSERT INTO t VALUES (2)");
        String timelineBefore = timeline(main);
        Answer restored = restore(main, pastOf(main, before));
        assertThat(restored.status()).as(restored.body().toString()).isEqualTo(200);
        assertThat(restored.text("/operations/0/status")).isEqualTo("finished");
        assertThat(restored.text("/branch/last_reset_at")).isNotEmpty();
        assertThat(restored.body().at("/branch/default").asBoolean()).isTrue();
        String was = restored.text("/branch/parent_id");
        assertThat(fixture.get(base + "/branches/" + was).text("/branch/name")).isEqualTo("was");
        assertThat(fixture.get(base + "/branches/" + child).text("/branch/parent_id"))
                .isEqualTo(was);
        assertThat(endpointOf(main)).isEqualTo(mainEndpoint);
        assertThat(numbers(mainEndpoint)).isEqualTo("1");
        assertThat(timeline(was)).isEqualTo(timelineBefore);
        assertThat(numbers(endpointOf(was))).isEqualTo("1,2");
        assertThat(numbers(endpointOf(child))).isEqualTo("1");
        execute(mainEndpoint, "INSERT INTO t VALUES (3)");
        assertThat(numbers(mainEndpoint)).isEqualTo("1,3");
        assertThat(numbers(endpointOf(was))).isEqualTo("1,2");
    }

    @Test
    void what_a_restored_branch_reads_from_can_be_deleted_and_goes_when_nothing_needs_it_any_more() throws Exception {
        Lsn before = position(mainEndpoint);
        execute(mainEndpoint, "INSERT INTO t VALUES (2)");
        String was = restore(main, pastOf(main, before)).text("/branch/parent_id");
        String old = timeline(was);
        assertThat(fixture.delete(base + "/branches/" + was).status()).isEqualTo(200);
        assertThat(fixture.pages.exists(new TimelineId(old))).isTrue();
        assertThat(fixture.get(base + "/branches").body().at("/branches")).hasSize(1);
        assertThat(fixture.get(base + "/branches/" + main).text("/branch/parent_id"))
                .isEmpty();
        fixture.computes.suspend(mainEndpoint).join();
        assertThat(numbers(mainEndpoint)).isEqualTo("1");
        fixture.abandon();
        fixture.open();
        assertThat(fixture.pages.exists(new TimelineId(old))).isTrue();
        assertThat(numbers(mainEndpoint)).isEqualTo("1");
        assertThat(fixture.delete(base).status()).isEqualTo(200);
        assertThat(fixture.pages.exists(new TimelineId(old))).isFalse();
        assertThat(fixture.get(base).status()).isEqualTo(404);
        assertThat(hidden()).isEmpty();
    }

    @Test
    void a_reset_has_the_parents_present_data_and_the_old_timeline_is_gone() throws Exception {
        String dev = created("dev");
        String endpoint = endpointOf(dev);
        execute(endpoint, "INSERT INTO t VALUES (99)");
        execute(mainEndpoint, "INSERT INTO t VALUES (2)");
        String old = timeline(dev);
        Answer reset = restore(dev, headOf(main));
        assertThat(reset.status()).as(reset.body().toString()).isEqualTo(200);
        assertThat(reset.text("/branch/parent_id")).isEqualTo(main);
        assertThat(numbers(endpoint)).isEqualTo("1,2");
        assertThat(fixture.pages.exists(new TimelineId(old))).isFalse();
        assertThat(hidden()).isEmpty();
        assertThat(fixture.get(base + "/branches").body().at("/branches")).hasSize(2);
    }

    @Test
    void passwords_of_the_branch_stay_and_its_roles_are_those_of_the_point() throws Exception {
        execute(mainEndpoint, "CREATE ROLE stays LOGIN PASSWORD 'then'");
        Lsn before = position(mainEndpoint);
        execute(mainEndpoint, "ALTER ROLE stays PASSWORD 'now'");
        execute(mainEndpoint, "CREATE ROLE came_later LOGIN PASSWORD 'x'");
        String reset = fixture.post(base + "/branches/" + main + "/roles/coppice_owner/reset_password", "")
                .text("/role/password");
        assertThat(restore(main, pastOf(main, before)).status()).isEqualTo(200);
        assertThat(verifier("stays")).matches(verifier -> ScramVerifier.matches("now", verifier));
        assertThat(verifier("coppice_owner")).matches(verifier -> ScramVerifier.matches(reset, verifier));
        assertThat(fixture.control.wiring().ground.catalog().inventory().roles(main))
                .doesNotContainKey("came_later");
        assertThat(fixture.get(base + "/branches/" + main + "/roles/coppice_owner/reveal_password")
                        .text("/password"))
                .isEqualTo(reset);
        // And Postgres itself agrees, which the proxy logs in to with the client's key.
        assertThat(query(mainEndpoint, "SELECT rolpassword FROM pg_authid WHERE rolname = 'stays'"))
                .matches(verifier -> ScramVerifier.matches("now", verifier));
    }

    @Test
    void a_child_of_the_branch_can_be_its_source_and_no_cycle_comes_of_it() throws Exception {
        String dev = created("dev");
        execute(endpointOf(dev), "INSERT INTO t VALUES (42)");
        assertThat(restore(main, headOf(dev)).status()).isEqualTo(422);
        Answer restored = restore(main, headOf(dev).replace("}", ",\"preserve_under_name\":\"was\"}"));
        assertThat(restored.status()).as(restored.body().toString()).isEqualTo(200);
        assertThat(restored.text("/branch/parent_id")).isEqualTo(dev);
        String was = fixture.get(base + "/branches/" + dev).text("/branch/parent_id");
        assertThat(fixture.get(base + "/branches/" + was).text("/branch/name")).isEqualTo("was");
        assertThat(numbers(mainEndpoint)).isEqualTo("1,42");
        Answer refused = fixture.delete(base + "/branches/" + was);
        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused.text("/message")).contains("dev");
    }

    @Test
    void what_is_wrong_is_said_and_nothing_changes() {
        String self = "'source_branch_id':'" + main + "'";
        String preserve = ",'preserve_under_name':'x'";
        Map<String, String> refusals = Map.ofEntries(
                Map.entry("", "400 source_branch_id"),
                Map.entry("'source_branch_id':'br-no-such-1'", "404 br-no-such-1"),
                Map.entry(self, "400 source_timestamp"),
                Map.entry(self + ",'source_lsn':'0/1'", "400 preserve_under_name"),
                Map.entry(self + ",'source_lsn':'0/1'" + preserve, "422 outside history"),
                Map.entry(self + ",'source_lsn':'zz'" + preserve, "400 source_lsn"),
                Map.entry(self + ",'source_timestamp':'today'" + preserve, "400 RFC 3339"),
                Map.entry(self + ",'source_timestamp':'2999-01-01T00:00:00Z'" + preserve, "422 future"),
                Map.entry(self + ",'source_timestamp':'1999-01-01T00:00:00Z'" + preserve, "422 history"),
                Map.entry(self + ",'source_lsn':'0/1','source_timestamp':'2999-01-01T00:00:00Z'", "400 not both"),
                Map.entry(self + ",'source_lsn':'0/1','preserve_under_name':'main'", "409 already exists"),
                Map.entry(self + ",'source_lsn':'0/1','preserve_under_name':'a@b'", "400 @"));
        refusals.forEach((body, refusal) -> {
            Answer answer = restore(main, "{" + body.replace('\'', '"') + "}");
            assertThat(answer.status() + " " + answer.text("/message"))
                    .as(body)
                    .startsWith(refusal.substring(0, 4))
                    .contains(refusal.substring(4));
        });
        assertThat(fixture.get(base + "/branches").body().at("/branches")).hasSize(1);
        assertThat(timelines()).containsExactlyInAnyOrder(main);
    }

    @Test
    void a_protected_branch_is_not_restored_until_its_protection_ends() throws Exception {
        String dev = created("dev");
        assertThat(fixture.patch(base + "/branches/" + dev, "{\"branch\":{\"protected\":true}}")
                        .body()
                        .at("/branch/protected")
                        .asBoolean())
                .isTrue();
        Answer refused = restore(dev, headOf(main));
        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused.text("/message")).contains("protected");
        fixture.patch(base + "/branches/" + dev, "{\"branch\":{\"protected\":false}}");
        assertThat(restore(dev, headOf(main)).status()).isEqualTo(200);
    }

    @Test
    void another_branch_becomes_the_default_and_the_former_one_can_then_be_deleted() {
        String dev = created("dev");
        assertThat(fixture.delete(base + "/branches/" + main).text("/message")).contains("default");
        Answer chosen = fixture.post(base + "/branches/" + dev + "/set_as_default", "");
        assertThat(chosen.status()).isEqualTo(200);
        assertThat(chosen.body().at("/branch/default").asBoolean()).isTrue();
        assertThat(fixture.get(base + "/branches/" + main)
                        .body()
                        .at("/branch/default")
                        .asBoolean())
                .isFalse();
        assertThat(fixture.control.routing().defaults())
                .filteredOn(route -> base.endsWith(route.projectId()))
                .extracting(Routing.Route::branchName)
                .containsExactly("dev");
        assertThat(fixture.delete(base + "/branches/" + main).text("/message")).contains("children");
    }

    @Test
    void of_restores_that_come_at_once_one_is_done_and_the_others_are_told_to_come_again() throws Exception {
        String dev = created("dev");
        List<CompletableFuture<Integer>> answers = java.util.stream.IntStream.range(0, 4)
                .mapToObj(i -> CompletableFuture.supplyAsync(
                        () -> restore(dev, headOf(main)).status(),
                        task -> Thread.ofVirtual().start(task)))
                .toList();
        Set<Integer> statuses = new TreeSet<>();
        for (CompletableFuture<Integer> answer : answers) {
            statuses.add(answer.get());
        }
        assertThat(statuses).contains(200).isSubsetOf(200, 423);
        assertThat(numbers(endpointOf(dev))).isEqualTo("1");
        assertThat(timelines()).containsExactlyInAnyOrder(timeline(main), timeline(dev));
    }

    @Test
    void a_restore_that_a_kill_interrupted_leaves_the_branch_as_it_was_and_no_timeline() throws Exception {
        var head = fixture.pages.timeline(new TimelineId(timeline(main))).head();
        Operation running = new Operation(
                "op-1",
                base.substring("/projects/".length()),
                main,
                mainEndpoint,
                "create_timeline",
                Operation.Status.RUNNING,
                null,
                "br-half-restored-1 ep-helper-1",
                NOW,
                NOW);
        fixture.control.wiring().ground.catalog().transaction(connection -> {
            OperationRows.insert(connection, running);
            return Boolean.TRUE;
        });
        fixture.pages.createBranch(new TimelineId("br-half-restored-1"), head);
        fixture.abandon();
        fixture.open();
        assertThat(timelines()).containsExactlyInAnyOrder(timeline(main));
        assertThat(fixture.get(base + "/operations/op-1").text("/operation/status"))
                .isEqualTo("failed");
        assertThat(numbers(mainEndpoint)).isEqualTo("1");
    }

    @Test
    void history_retention_is_a_setting_of_the_project() {
        assertThat(retention(fixture.get(base))).isEqualTo(86_400);
        assertThat(retention(fixture.patch(base, "{\"project\":{\"history_retention_seconds\":604800}}")))
                .isEqualTo(604_800);
        assertThat(retention(fixture.get(base))).isEqualTo(604_800);
        for (String wrong : List.of("-1", "2592001", "\"a day\"")) {
            Answer refused = fixture.patch(base, "{\"project\":{\"history_retention_seconds\":" + wrong + "}}");
            assertThat(refused.status()).isEqualTo(400);
            assertThat(refused.text("/message")).contains("history_retention_seconds");
        }
        Answer made = fixture.post("/projects", "{\"project\":{\"name\":\"p\",\"history_retention_seconds\":0}}");
        assertThat(retention(made)).isZero();
        fixture.delete("/projects/" + made.text("/project/id"));
    }

    @Test
    void what_is_older_than_the_retention_is_refused_with_where_history_begins() throws Exception {
        Lsn longAgo = position(mainEndpoint);
        execute(mainEndpoint, "INSERT INTO t VALUES (2)");
        String kid = created("kid");
        execute(mainEndpoint, "DELETE FROM t");
        execute(mainEndpoint, "INSERT INTO t VALUES (3)");
        assertThat(retention(fixture.patch(base, "{\"project\":{\"history_retention_seconds\":0}}")))
                .isZero();
        TimelineId id = new TimelineId(timeline(main));
        await().atMost(PATIENCE).until(() -> {
            fixture.pages.collectGarbage(id);
            return fixture.pages.timeline(id).horizon().isAfter(longAgo);
        });
        for (Answer refused : List.of(
                restore(main, pastOf(main, longAgo)),
                fixture.post(base + "/branches", "{\"branch\":{\"name\":\"x\",\"parent_lsn\":\"" + longAgo + "\"}}"))) {
            assertThat(refused.status()).isEqualTo(422);
            assertThat(refused.text("/message"))
                    .contains("branch \"main\"", longAgo.toString())
                    .contains("from");
        }
        assertThat(refusal(longAgo)).isEqualTo("22023");
        assertThat(timelines()).containsExactlyInAnyOrder(main, kid);
        // A child keeps what it can see, and can go back to where it began.
        assertThat(numbers(endpointOf(kid))).isEqualTo("1,2");
        execute(endpointOf(kid), "INSERT INTO t VALUES (9)");
        String began = fixture.get(base + "/branches/" + kid).text("/branch/parent_lsn");
        Answer back = restore(kid, pastOf(kid, Lsn.parse(began)));
        assertThat(back.status()).as(back.body().toString()).isEqualTo(200);
        assertThat(numbers(endpointOf(kid))).isEqualTo("1,2");
    }

    private static int retention(Answer answer) {
        return answer.body().at("/project/history_retention_seconds").asInt(-1);
    }

    @Test
    void a_past_moment_is_shared_read_only_hidden_and_gone_after_its_last_query() throws Exception {
        Lsn then = position(mainEndpoint);
        execute(mainEndpoint, "INSERT INTO t VALUES (2)");
        execute(mainEndpoint, "CREATE ROLE came_later LOGIN PASSWORD 'x'");
        Path socket = visit(then);
        assertThat(visit(then)).isEqualTo(socket);
        assertThat(query(socket, "SELECT string_agg(n::text, ',') FROM t")).isEqualTo("1");
        assertThat(query(socket, "SHOW default_transaction_read_only")).isEqualTo("on");
        assertThat(fixture.get(base + "/branches").body().at("/branches")).hasSize(1);
        assertThat(fixture.get(base + "/endpoints").body().at("/endpoints")).hasSize(1);
        assertThat(hidden()).hasSize(1);
        visit(position(mainEndpoint));
        execute(mainEndpoint, "INSERT INTO t VALUES (3)");
        assertThat(refusal(position(mainEndpoint))).isEqualTo("53300");
        assertThat(refusal(Lsn.parse("FF/0"))).isEqualTo("22023");
        await().atMost(PATIENCE).until(() -> hidden().isEmpty());
        assertThat(timelines()).containsExactlyInAnyOrder(main);
        assertThat(fixture.computes.list())
                .filteredOn(status -> status.state() == ComputeState.ACTIVE)
                .allMatch(status -> fixture.control
                        .wiring()
                        .ground
                        .catalog()
                        .inventory()
                        .endpoint(status.endpointId())
                        .isPresent());
        assertThat(query(visit(then), "SELECT string_agg(n::text, ',') FROM t")).isEqualTo("1");
    }

    @Test
    void a_past_moment_takes_todays_passwords() throws Exception {
        Lsn then = position(mainEndpoint);
        String first = fixture.post(base + "/branches/" + main + "/roles/coppice_owner/reset_password", "")
                .text("/role/password");
        String password = "SELECT rolpassword FROM pg_authid WHERE rolname = 'coppice_owner'";
        assertThat(query(visit(then), password)).matches(verifier -> ScramVerifier.matches(first, verifier));
        String second = fixture.post(base + "/branches/" + main + "/roles/coppice_owner/reset_password", "")
                .text("/role/password");
        assertThat(query(visit(then), password)).matches(verifier -> ScramVerifier.matches(second, verifier));
    }

    @Test
    void past_moments_do_not_outlive_the_server_or_their_branch() throws Exception {
        Lsn then = position(mainEndpoint);
        visit(then);
        fixture.abandon();
        fixture.open();
        assertThat(hidden()).isEmpty();
        assertThat(timelines()).containsExactlyInAnyOrder(main);
        String dev = created("dev");
        execute(endpointOf(dev), "INSERT INTO t VALUES (5)");
        visit(endpointOf(dev), position(endpointOf(dev)));
        assertThat(fixture.delete(base + "/branches/" + dev).status()).isEqualTo(200);
        assertThat(timelines()).containsExactlyInAnyOrder(main);
        visit(then);
        fixture.shutDown();
        fixture.open();
        assertThat(timelines()).containsExactlyInAnyOrder(main);
    }

    private Path visit(Lsn lsn) throws Exception {
        return visit(mainEndpoint, lsn);
    }

    private Path visit(String endpoint, Lsn lsn) throws Exception {
        return fixture.control
                .routing()
                .wakeAt(endpoint, new BranchPointRequest.AtLsn(lsn))
                .toCompletableFuture()
                .get()
                .socket();
    }

    private String refusal(Lsn lsn) throws Exception {
        try {
            visit(lsn);
            return "";
        } catch (ExecutionException e) {
            return e.getCause() instanceof RoutingException refused ? refused.sqlState() : String.valueOf(e.getCause());
        }
    }

    /** The timelines of this test's project, hidden ones included. */
    private Set<String> timelines() {
        Set<String> own = names(fixture.pages.timelines());
        own.removeAll(others);
        return own;
    }

    private static Set<String> names(Set<TimelineId> ids) {
        Set<String> names = new TreeSet<>();
        ids.forEach(id -> names.add(id.value()));
        return names;
    }

    private List<String> hidden() {
        return fixture
                .control
                .wiring()
                .ground
                .catalog()
                .transaction(dev.coppice.control.catalog.rows.HiddenTimelineRows::all)
                .stream()
                .map(dev.coppice.control.catalog.model.HiddenTimeline::timelineId)
                .toList();
    }

    private String timeline(String branch) {
        return fixture.control
                .wiring()
                .ground
                .catalog()
                .inventory()
                .branch(branch)
                .orElseThrow()
                .timelineId();
    }

    private Answer restore(String branch, String body) {
        return fixture.post(base + "/branches/" + branch + "/restore", body);
    }

    private static String headOf(String source) {
        return "{\"source_branch_id\":\"" + source + "\"}";
    }

    private static String pastOf(String source, Lsn lsn) {
        return "{\"source_branch_id\":\"" + source + "\",\"source_lsn\":\"" + lsn
                + "\",\"preserve_under_name\":\"was\"}";
    }

    private String created(String name) {
        Answer made = fixture.post(base + "/branches", "{\"branch\":{\"name\":\"" + name + "\"}}");
        assertThat(made.status()).as(made.body().toString()).isEqualTo(201);
        return made.text("/branch/id");
    }

    private String endpointOf(String branchId) {
        return fixture.get(base + "/branches/" + branchId + "/endpoints").text("/endpoints/0/id");
    }

    private String verifier(String role) throws Exception {
        return fixture.control
                .routing()
                .verifier(mainEndpoint, role)
                .toCompletableFuture()
                .get()
                .orElseThrow();
    }

    private Lsn position(String endpoint) throws Exception {
        return Lsn.parse(query(endpoint, "SELECT pg_current_wal_insert_lsn()::text"));
    }

    private String numbers(String endpoint) throws Exception {
        return query(endpoint, "SELECT string_agg(n::text, ',' ORDER BY n) FROM t");
    }

    private String query(String endpoint, String sql) throws Exception {
        return query(
                fixture.control
                        .routing()
                        .wake(endpoint)
                        .toCompletableFuture()
                        .get()
                        .socket(),
                sql);
    }

    private static String query(Path socket, String sql) throws Exception {
        try (Connection connection = SuperuserSql.open(socket);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    private void execute(String endpoint, String sql) throws Exception {
        Path socket = fixture.control
                .routing()
                .wake(endpoint)
                .toCompletableFuture()
                .get()
                .socket();
        try (Connection connection = SuperuserSql.open(socket);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
