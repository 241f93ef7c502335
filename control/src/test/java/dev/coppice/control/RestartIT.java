package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeState;
import dev.coppice.control.ControlFixture.Answer;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.rows.OperationRows;
import dev.coppice.control.catalog.rows.Rows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a server finds, and does, when the one before it was killed. */
class RestartIT {
    private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private ControlFixture fixture;
    private String base;

    @BeforeEach
    void open() throws IOException {
        fixture = new ControlFixture(-1);
        base = "/projects/" + fixture.get("/projects").text("/projects/0/id");
    }

    @AfterEach
    void close() throws IOException {
        fixture.close();
    }

    @Test
    void running_computes_are_adopted_and_keys_projects_and_passwords_stay() throws Exception {
        ControlPlane.Welcome before = fixture.control.welcome();
        String endpoint = fixture.get(base + "/endpoints").text("/endpoints/0/id");
        long pid = fixture.computes.status(endpoint).orElseThrow().pid().orElseThrow();
        fixture.abandon();
        fixture.open();
        assertThat(fixture.computes.state(endpoint)).isEqualTo(ComputeState.ACTIVE);
        assertThat(fixture.computes.status(endpoint).orElseThrow().pid()).hasValue(pid);
        assertThat(fixture.control.welcome().apiKey()).isEqualTo(before.apiKey());
        assertThat(fixture.control.welcome().connectionString()).isEqualTo(before.connectionString());
        assertThat(fixture.get("/projects").body().at("/projects")).hasSize(1);
        assertThat(Files.getPosixFilePermissions(fixture.data.resolve("cli.json")))
                .isEqualTo(PosixFilePermissions.fromString("rw-------"));
        assertThat(Files.getPosixFilePermissions(fixture.data.resolve("secret.key")))
                .isEqualTo(PosixFilePermissions.fromString("rw-------"));
        // The watch over the adopted compute learns what is changed by SQL.
        var socket = fixture.control
                .routing()
                .wake(endpoint)
                .toCompletableFuture()
                .get()
                .socket();
        try (Connection connection = SuperuserSql.open(socket);
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE ROLE after_restart LOGIN PASSWORD 'x'");
        }
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(fixture.control
                                .routing()
                                .verifier(endpoint, "after_restart")
                                .toCompletableFuture()
                                .get())
                        .isPresent());
    }

    @Test
    void a_compute_that_died_with_the_server_is_woken_once_to_read_its_roles() throws Exception {
        String endpoint = fixture.get(base + "/endpoints").text("/endpoints/0/id");
        await().atMost(PATIENCE)
                .until(() -> fixture.control
                        .wiring()
                        .ground
                        .catalog()
                        .inventory()
                        .endpoint(endpoint)
                        .orElseThrow()
                        .wasAwake());
        long pid = fixture.computes.status(endpoint).orElseThrow().pid().orElseThrow();
        fixture.abandon();
        new ProcessBuilder("kill", "-9", Long.toString(pid)).start().waitFor();
        fixture.open();
        await().atMost(PATIENCE).until(() -> fixture.computes.state(endpoint) == ComputeState.ACTIVE);
    }

    @Test
    void creations_that_were_interrupted_are_undone_and_deletions_are_finished() throws IOException {
        Catalog catalog = fixture.control.wiring().ground.catalog();
        String project = base.substring("/projects/".length());
        Branch main = catalog.inventory().defaultBranch(project).orElseThrow();
        var head = fixture.pages.timeline(new TimelineId(main.timelineId())).head();
        // Killed between storage and catalog.
        fixture.pages.createBranch(new TimelineId("br-orphan-a-1"), head);
        // Killed while the branch was awake to have its roles read.
        fixture.pages.createBranch(new TimelineId("br-half-made-2"), head);
        Operation making = operation("op-1", project, "create_branch", "br-half-made-2 ep-half-made-2", null);
        // Killed after the decision to delete.
        Answer doomed = fixture.post(base + "/branches", "{\"branch\":{\"name\":\"doomed\"}}");
        String doomedId = doomed.text("/branch/id");
        Branch deleting = catalog.inventory().branch(doomedId).orElseThrow().in(BranchState.DELETING, NOW);
        Operation deletion = operation("op-2", project, "delete_timeline", null, doomedId);
        catalog.change(
                project,
                connection -> {
                    OperationRows.insert(connection, making);
                    var _ = Rows.changeBranch(connection, deleting.id(), _ -> deleting);
                    OperationRows.insert(connection, deletion);
                },
                image -> {});
        fixture.abandon();
        fixture.open();
        assertThat(fixture.pages.timelines())
                .extracting(TimelineId::value)
                .containsExactlyInAnyOrder("template", main.timelineId());
        assertThat(fixture.get(base + "/branches").body().at("/branches")).hasSize(1);
        assertThat(fixture.get(base + "/operations/op-1").text("/operation/status"))
                .isEqualTo("failed");
        assertThat(fixture.get(base + "/operations/op-1").text("/operation/error"))
                .contains("restart");
        assertThat(fixture.get(base + "/operations/op-2").text("/operation/status"))
                .isEqualTo("finished");
        assertThat(fixture.post(base + "/branches", "{\"branch\":{\"name\":\"doomed\"}}")
                        .status())
                .isEqualTo(201);
    }

    private static Operation operation(
            String id,
            String project,
            String action,
            @org.jspecify.annotations.Nullable String detail,
            @org.jspecify.annotations.Nullable String branchId) {
        return new Operation(id, project, branchId, null, action, Operation.Status.RUNNING, null, detail, NOW, NOW);
    }
}
