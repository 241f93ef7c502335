package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeState;
import dev.coppice.control.ControlFixture.Answer;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.secret.ScramVerifier;
import dev.coppice.control.sql.ComputeSql;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Workflows and API over real storage and real computes. */
class ControlIT {
    private static final int NEVER = -1;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static ControlFixture fixture;
    private static String project;
    private static String base;

    @BeforeAll
    static void open() throws IOException {
        fixture = new ControlFixture(NEVER);
        project = fixture.get("/projects").text("/projects/0/id");
        base = "/projects/" + project;
    }

    @AfterAll
    static void close() throws IOException {
        fixture.close();
    }

    @Test
    void the_first_start_makes_a_project_that_can_be_connected_to() throws Exception {
        ControlPlane.Welcome welcome = fixture.control.welcome();
        assertThat(welcome.connectionString().orElseThrow())
                .matches(
                        "postgresql://coppice_owner:[A-Za-z0-9]{24}@127.0.0.1:5433/coppice\\?options=endpoint%3Dep-.*");
        JsonNode main = fixture.get(base + "/branches").body().at("/branches/0");
        assertThat(main.at("/name").asString()).isEqualTo("main");
        assertThat(main.at("/default").asBoolean()).isTrue();
        String endpoint = endpointOf(main.at("/id").asString());
        assertThat(query(endpoint, "SELECT rolsuper::text FROM pg_roles WHERE rolname = 'coppice_owner'"))
                .isEqualTo("true");
        String password = fixture.get(
                        base + "/branches/" + main.at("/id").asString() + "/roles/coppice_owner/reveal_password")
                .text("/password");
        assertThat(welcome.connectionString().orElseThrow()).contains(password);
        assertThat(ScramVerifier.matches(
                        password, verifier(endpoint, "coppice_owner").orElseThrow()))
                .isTrue();
        assertThat(verifier(endpoint, ComputeSql.ADMIN)).isEmpty();
    }

    @Test
    void a_branch_has_its_parents_data_roles_databases_and_passwords_and_wakes_for_a_connection() throws Exception {
        Answer made = create("{\"branch\":{\"name\":\"dev-inherit\"},\"endpoints\":[{\"type\":\"read_write\"}]}");
        assertThat(made.status()).as(made.body().toString()).isEqualTo(201);
        assertThat(made.text("/branch/current_state")).isEqualTo("ready");
        assertThat(made.text("/branch/parent_lsn")).matches("[0-9A-F]+/[0-9A-F]+");
        assertThat(made.text("/operations/0/status")).isEqualTo("finished");
        assertThat(made.text("/databases/0/name")).isEqualTo("coppice");
        assertThat(made.text("/roles/0/name")).isEqualTo("coppice_owner");
        String endpoint = made.text("/endpoints/0/id");
        assertThat(made.text("/endpoints/0/host")).isEqualTo(endpoint + ".localhost:" + ControlFixture.PROXY_PORT);
        assertThat(made.text("/endpoints/0/current_state")).isEqualTo("idle");
        assertThat(made.text("/connection_uris/0/connection_uri")).contains("endpoint%3D" + endpoint);
        assertThat(fixture.control.routing().byBranchName("dev-inherit"))
                .extracting(Routing.Route::endpointId)
                .containsExactly(endpoint);
        assertThat(verifier(endpoint, "coppice_owner")).isPresent();
        assertThat(query(endpoint, "SELECT datname FROM pg_database WHERE datname = 'coppice'"))
                .isEqualTo("coppice");
        assertThat(fixture.get(base + "/endpoints/" + endpoint).text("/endpoint/current_state"))
                .isEqualTo("active");
    }

    @Test
    void a_branch_at_a_past_position_has_the_roles_of_that_time() throws Exception {
        String source = create("{\"branch\":{\"name\":\"past-source\"}}").text("/endpoints/0/id");
        execute(source, "CREATE ROLE early LOGIN PASSWORD 'x'");
        String lsn = query(source, "SELECT pg_current_wal_flush_lsn()::text");
        execute(source, "CREATE ROLE late LOGIN PASSWORD 'y'");
        execute(source, "DROP ROLE early");
        String sourceBranch = branchOf(source);
        Answer made = create("{\"branch\":{\"name\":\"past\",\"parent_id\":\"" + sourceBranch + "\",\"parent_lsn\":\""
                + lsn + "\"}}");
        assertThat(made.status()).as(made.body().toString()).isEqualTo(201);
        assertThat(names(made, "/roles")).contains("early", "coppice_owner").doesNotContain("late");
        assertThat(verifier(made.text("/endpoints/0/id"), "early")).isPresent();
        assertThat(made.text("/operations/0/status")).isEqualTo("finished");

        Answer outside = create("{\"branch\":{\"name\":\"future\",\"parent_lsn\":\"FFFF/0\"}}");
        assertThat(outside.status()).isEqualTo(422);
        assertThat(outside.text("/message")).contains("FFFF/0");
    }

    @Test
    void a_branch_with_children_and_the_default_branch_cannot_be_deleted_and_the_reason_is_given() {
        String parent = create("{\"branch\":{\"name\":\"family\"}}").text("/branch/id");
        String child = create("{\"branch\":{\"name\":\"family-child\",\"parent_id\":\"" + parent + "\"}}")
                .text("/branch/id");
        Answer refused = fixture.delete(base + "/branches/" + parent);
        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused.text("/message")).contains("children").contains("family-child");
        assertThat(fixture.delete(base + "/branches/" + child).status()).isEqualTo(200);
        assertThat(fixture.get(base + "/branches/" + child).status()).isEqualTo(404);
        assertThat(fixture.delete(base + "/branches/" + parent).status()).isEqualTo(200);
        assertThat(fixture.pages.exists(new TimelineId(parent))).isFalse();
        String main = fixture.get(base + "/branches").text("/branches/0/id");
        assertThat(fixture.delete(base + "/branches/" + main).text("/message")).contains("default branch");
    }

    @Test
    void a_running_branch_can_be_deleted_and_renamed() throws Exception {
        Answer made = create("{\"branch\":{\"name\":\"old-name\"}}");
        String id = made.text("/branch/id");
        String endpoint = made.text("/endpoints/0/id");
        query(endpoint, "SELECT 'awake'");
        assertThat(fixture.patch(base + "/branches/" + id, "{\"branch\":{\"name\":\"new-name\"}}")
                        .text("/branch/name"))
                .isEqualTo("new-name");
        assertThat(fixture.control.routing().byBranchName("old-name")).isEmpty();
        assertThat(fixture.control.routing().byBranchName("new-name")).hasSize(1);
        assertThat(create("{\"branch\":{\"name\":\"new-name\"}}").status()).isEqualTo(409);
        assertThat(fixture.delete(base + "/branches/" + id).status()).isEqualTo(200);
        assertThat(fixture.computes.state(endpoint)).isEqualTo(ComputeState.IDLE);
        assertThat(fixture.control.routing().byEndpointId(endpoint)).isEmpty();
    }

    @Test
    void roles_are_created_reset_revealed_and_deleted() throws Exception {
        Answer made = create("{\"branch\":{\"name\":\"roles\"}}");
        String roles = base + "/branches/" + made.text("/branch/id") + "/roles";
        String endpoint = made.text("/endpoints/0/id");
        Answer created = fixture.post(roles, "{\"role\":{\"name\":\"Ann \\\"Q\\\"\"}}");
        assertThat(created.status()).as(created.body().toString()).isEqualTo(201);
        String password = created.text("/role/password");
        String encoded = "Ann%20%22Q%22";
        assertThat(fixture.get(roles + "/" + encoded + "/reveal_password").text("/password"))
                .isEqualTo(password);
        assertThat(ScramVerifier.matches(
                        password, verifier(endpoint, "Ann \"Q\"").orElseThrow()))
                .isTrue();
        String second =
                fixture.post(roles + "/" + encoded + "/reset_password", "").text("/role/password");
        assertThat(second).isNotEqualTo(password).isNotEmpty();
        assertThat(ScramVerifier.matches(second, verifier(endpoint, "Ann \"Q\"").orElseThrow()))
                .isTrue();
        assertThat(fixture.post(roles, "{\"role\":{\"name\":\"Ann \\\"Q\\\"\"}}")
                        .status())
                .isEqualTo(409);
        assertThat(fixture.post(roles, "{\"role\":{\"name\":\"pg_boss\"}}").status())
                .isEqualTo(422);
        assertThat(fixture.delete(roles + "/" + encoded).status()).isEqualTo(200);
        assertThat(verifier(endpoint, "Ann \"Q\"")).isEmpty();
        assertThat(fixture.get(roles + "/" + encoded + "/reveal_password").status())
                .isEqualTo(404);
        Answer owner = fixture.delete(roles + "/coppice_owner");
        assertThat(owner.status()).as(owner.body().toString()).isEqualTo(422);
    }

    @Test
    void databases_are_created_listed_and_deleted() {
        Answer made = create("{\"branch\":{\"name\":\"databases\"}}");
        String databases = base + "/branches/" + made.text("/branch/id") + "/databases";
        String body = "{\"database\":{\"name\":\"shop\",\"owner_name\":\"coppice_owner\"}}";
        assertThat(fixture.post(databases, body).status()).isEqualTo(201);
        assertThat(fixture.post(databases, body).status()).isEqualTo(409);
        assertThat(names(fixture.get(databases), "/databases")).containsExactly("coppice", "shop");
        assertThat(fixture.post(databases, "{\"database\":{\"name\":\"x\",\"owner_name\":\"nobody\"}}")
                        .status())
                .isEqualTo(404);
        assertThat(fixture.delete(databases + "/shop").status()).isEqualTo(200);
        assertThat(names(fixture.get(databases), "/databases")).containsExactly("coppice");
    }

    @Test
    void a_role_made_by_sql_is_known_at_once_and_after_a_suspend_and_its_password_is_not_revealed() throws Exception {
        Answer made = create("{\"branch\":{\"name\":\"sql-roles\"}}");
        String endpoint = made.text("/endpoints/0/id");
        execute(endpoint, "CREATE ROLE clerk LOGIN PASSWORD 'pencil'");
        awaitWatched(endpoint);
        execute(endpoint, "ALTER ROLE clerk PASSWORD 'ink'");
        assertThat(ScramVerifier.matches("ink", verifier(endpoint, "clerk").orElseThrow()))
                .isTrue();
        assertThat(fixture.post(base + "/endpoints/" + endpoint + "/suspend", "")
                        .status())
                .isEqualTo(200);
        assertThat(fixture.computes.state(endpoint)).isEqualTo(ComputeState.IDLE);
        assertThat(ScramVerifier.matches("ink", verifier(endpoint, "clerk").orElseThrow()))
                .isTrue();
        assertThat(fixture.computes.state(endpoint)).isEqualTo(ComputeState.IDLE);
        String roles = base + "/branches/" + made.text("/branch/id") + "/roles";
        assertThat(names(fixture.get(roles), "/roles")).contains("clerk");
        assertThat(fixture.get(roles + "/clerk/reveal_password").status()).isEqualTo(412);
    }

    @Test
    void routing_waking_and_suspending_work_while_the_catalog_is_away() throws Exception {
        Answer made = create("{\"branch\":{\"name\":\"no-catalog\"}}");
        String endpoint = made.text("/endpoints/0/id");
        // A lock on every table is a catalog that does not answer.
        try (Connection lock = DriverManager.getConnection(
                        Catalog.url(dev.coppice.control.catalog.CatalogFixture.socket(fixture.data), "postgres"),
                        ComputeSql.ADMIN,
                        "");
                Statement statement = lock.createStatement()) {
            lock.setAutoCommit(false);
            statement.execute("LOCK TABLE projects, branches, endpoints, roles, databases, operations, api_keys");
            assertThat(fixture.control.routing().byBranchName("no-catalog")).hasSize(1);
            assertThat(verifier(endpoint, "coppice_owner")).isPresent();
            assertThat(query(endpoint, "SELECT 'awake'")).isEqualTo("awake");
            assertThat(fixture.get(base + "/branches").status()).isEqualTo(200);
            assertThat(fixture.post(base + "/endpoints/" + endpoint + "/suspend", "")
                            .status())
                    .isEqualTo(200);
            assertThat(fixture.computes.state(endpoint)).isEqualTo(ComputeState.IDLE);
            lock.rollback();
        }
    }

    @Test
    void an_idle_compute_is_suspended_an_open_transaction_keeps_it_and_an_idle_session_does_not() throws Exception {
        Answer made = create("{\"branch\":{\"name\":\"idle\"},\"endpoints\":[{\"suspend_timeout_seconds\":2}]}");
        String endpoint = made.text("/endpoints/0/id");
        try (Connection connection = connect(endpoint);
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("SELECT 1");
            Thread.sleep(Duration.ofSeconds(5));
            statement.execute("SELECT 2");
            connection.commit();
            await().atMost(PATIENCE).until(() -> fixture.computes.state(endpoint) == ComputeState.IDLE);
        }
        await().atMost(PATIENCE)
                .until(() -> names(fixture.get(base + "/operations"), "/operations", "/action")
                        .contains("suspend_compute"));
    }

    @Test
    void a_killed_compute_is_woken_once_more_to_read_its_roles() throws Exception {
        Answer made = create("{\"branch\":{\"name\":\"killed\"}}");
        String endpoint = made.text("/endpoints/0/id");
        execute(endpoint, "CREATE ROLE survivor LOGIN PASSWORD 's'");
        long pid = fixture.computes.status(endpoint).orElseThrow().pid().orElseThrow();
        new ProcessBuilder("kill", "-9", Long.toString(pid)).start().waitFor();
        await().atMost(PATIENCE).until(() -> {
            var status = fixture.computes.status(endpoint).orElseThrow();
            return status.state() == ComputeState.ACTIVE && status.pid().orElse(pid) != pid;
        });
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(verifier(endpoint, "survivor")).isPresent());
    }

    @Test
    void of_many_that_ask_for_one_name_at_once_one_gets_it_and_nothing_is_left_of_the_others() throws Exception {
        int clients = 16;
        List<Callable<Integer>> calls = new ArrayList<>();
        for (int i = 0; i < clients; i++) {
            calls.add(() -> create("{\"branch\":{\"name\":\"contested\"}}").status());
        }
        List<Integer> statuses = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Future<Integer> answer : threads.invokeAll(calls)) {
                statuses.add(answer.get());
            }
        }
        assertThat(statuses).containsOnly(201, 409).containsOnlyOnce(201);
        Set<String> branches = fixture.get(base + "/branches")
                .body()
                .at("/branches")
                .valueStream()
                .map(branch -> branch.at("/id").asString())
                .collect(Collectors.toSet());
        assertThat(fixture.pages.timelines())
                .extracting(TimelineId::value)
                .filteredOn(id -> !id.equals("template"))
                .isSubsetOf(branches);
    }

    @Test
    void a_project_is_made_and_deleted_with_everything_in_it() throws Exception {
        Answer made =
                fixture.post("/projects", "{\"project\":{\"name\":\"second\",\"branch\":{\"database_name\":\"app\"}}}");
        assertThat(made.status()).as(made.body().toString()).isEqualTo(201);
        assertThat(made.text("/connection_uris/0/connection_uri"))
                .contains("app_owner")
                .contains("/app?");
        String id = made.text("/project/id");
        String branch = made.text("/branch/id");
        assertThat(fixture.post("/projects/" + id + "/branches", "{\"branch\":{\"name\":\"kid\"}}")
                        .status())
                .isEqualTo(201);
        assertThat(fixture.control.routing().defaults()).hasSize(2);
        assertThat(fixture.delete("/projects/" + id).status()).isEqualTo(200);
        assertThat(fixture.get("/projects/" + id).status()).isEqualTo(404);
        assertThat(fixture.pages.exists(new TimelineId(branch))).isFalse();
    }

    static Answer create(String body) {
        return fixture.post(base + "/branches", body);
    }

    /** As a client of the database would; Coppice's own sessions do not count as activity. */
    private static Connection connect(String endpoint) throws Exception {
        String password = fixture.get(base + "/branches/" + branchOf(endpoint) + "/roles/coppice_owner/reveal_password")
                .text("/password");
        var socket = fixture.control
                .routing()
                .wake(endpoint)
                .toCompletableFuture()
                .get()
                .socket();
        return DriverManager.getConnection(Catalog.url(socket, "coppice"), "coppice_owner", password);
    }

    private static String query(String endpoint, String sql) throws Exception {
        var socket = fixture.control
                .routing()
                .wake(endpoint)
                .toCompletableFuture()
                .get()
                .socket();
        try (Connection connection = SuperuserSql.open(socket);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    private static void execute(String endpoint, String sql) throws Exception {
        var socket = fixture.control
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

    private static Optional<String> verifier(String endpoint, String role) throws Exception {
        return fixture.control
                .routing()
                .verifier(endpoint, role)
                .toCompletableFuture()
                .get();
    }

    /** The watch has connected; before that, a role changed this very second may not be known. */
    private static void awaitWatched(String endpoint) {
        await().atMost(PATIENCE)
                .until(() -> fixture.control
                        .wiring()
                        .ground
                        .monitor()
                        .freshRoles(endpoint, false)
                        .filter(roles -> !roles.isCompletedExceptionally())
                        .isPresent());
    }

    private static String endpointOf(String branchId) {
        return fixture.get(base + "/branches/" + branchId + "/endpoints").text("/endpoints/0/id");
    }

    private static String branchOf(String endpointId) {
        return fixture.get(base + "/endpoints/" + endpointId).text("/endpoint/branch_id");
    }

    private static List<String> names(Answer answer, String list) {
        return names(answer, list, "/name");
    }

    private static List<String> names(Answer answer, String list, String field) {
        return answer.body()
                .at(list)
                .valueStream()
                .map(item -> item.at(field).asString())
                .toList();
    }
}
