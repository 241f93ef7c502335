package dev.coppice.control.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.coppice.common.Lsn;
import dev.coppice.control.catalog.model.ApiKey;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.catalog.model.ProjectSettings;
import dev.coppice.control.catalog.model.Role;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.catalog.rows.Rows;
import dev.coppice.control.catalog.rows.Sql;
import dev.coppice.control.error.ControlException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CatalogIT {
    private static final Instant NOW = Instant.parse("2026-01-02T03:04:05.678901Z");
    private static final int BUFFERS_MB = 16;

    private Path data;
    private CatalogServer server;

    @BeforeEach
    void start() throws IOException {
        data = CatalogFixture.newDataDirectory();
        server = CatalogServer.start(
                CatalogFixture.binaries(),
                CatalogFixture.interposer(),
                CatalogFixture.user(),
                CatalogFixture.sandbox(),
                data,
                BUFFERS_MB);
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
        CatalogFixture.delete(data);
    }

    @Test
    void what_was_committed_is_in_the_inventory_and_survives_a_clean_restart() {
        try (Catalog catalog = Catalog.open(server.socket())) {
            fill(catalog);
            check(catalog.inventory());
        }
        server.close();
        assertThat(server.pid()).isEmpty();
        server = CatalogServer.start(
                CatalogFixture.binaries(),
                CatalogFixture.interposer(),
                CatalogFixture.user(),
                CatalogFixture.sandbox(),
                data,
                BUFFERS_MB);
        try (Catalog catalog = Catalog.open(server.socket())) {
            check(catalog.inventory());
        }
    }

    @Test
    void a_killed_postmaster_is_started_again_and_nothing_committed_is_lost() throws Exception {
        try (Catalog catalog = Catalog.open(server.socket())) {
            fill(catalog);
            long pid = server.pid().orElseThrow();
            new ProcessBuilder("kill", "-9", Long.toString(pid)).start().waitFor();
            check(catalog.inventory());
            await().atMost(Duration.ofSeconds(30))
                    .ignoreExceptionsInstanceOf(ControlException.class)
                    .untilAsserted(() -> assertThat(stored(catalog)).hasSize(2));
            assertThat(server.pid().orElseThrow()).isNotEqualTo(pid);
        }
    }

    @Test
    void a_pid_file_that_names_an_unrelated_process_does_not_stop_the_start() throws Exception {
        server.close();
        Files.writeString(
                data.resolve("catalog/postmaster.pid"),
                ProcessHandle.current().pid() + "\n" + data.resolve("catalog") + "\n0\n5432\n\n\n1 1\nready   \n");
        server = CatalogServer.start(
                CatalogFixture.binaries(),
                CatalogFixture.interposer(),
                CatalogFixture.user(),
                CatalogFixture.sandbox(),
                data,
                BUFFERS_MB);
        try (Catalog catalog = Catalog.open(server.socket())) {
            assertThat(catalog.inventory().projects()).isEmpty();
        }
    }

    @Test
    void a_running_postgres_is_adopted() {
        long pid = server.pid().orElseThrow();
        CatalogServer second = CatalogServer.start(
                CatalogFixture.binaries(),
                CatalogFixture.interposer(),
                CatalogFixture.user(),
                CatalogFixture.sandbox(),
                data,
                BUFFERS_MB);
        assertThat(second.pid()).contains(pid);
        // Else it would try to start again what the first one stops.
        second.letGo();
    }

    @Test
    void a_change_by_another_control_plane_arrives_by_notification() {
        try (Catalog one = Catalog.open(server.socket());
                Catalog other = Catalog.open(server.socket())) {
            fill(other);
            await().atMost(Duration.ofSeconds(30))
                    .untilAsserted(() ->
                            assertThat(one.inventory().branchNamed("p", "main")).isPresent());
            check(one.inventory());
            other.change("p", c -> Rows.deleteBranch(c, "br-b"), image -> image.removeBranch("br-b"));
            await().atMost(Duration.ofSeconds(30))
                    .untilAsserted(
                            () -> assertThat(one.inventory().branch("br-b")).isEmpty());
            other.addApiKey("k", null, ApiKey.Scope.FULL, new byte[] {1, 2, 3}, NOW);
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> one.inventory().apiKey(new byte[] {1, 2, 3}).isPresent());
        }
    }

    @Test
    void a_schema_of_a_newer_program_is_refused() throws Exception {
        Catalog.open(server.socket()).close();
        try (Connection connection =
                        DriverManager.getConnection(Catalog.url(server.socket(), "postgres"), "coppice_admin", "");
                Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO schema_version (version, script) VALUES (999, 'future')");
        }
        assertThatThrownBy(() -> Catalog.open(server.socket()))
                .isInstanceOf(ControlException.class)
                .hasMessageContaining("newer Coppice");
    }

    @Test
    void migrations_apply_in_order_and_a_failing_one_leaves_the_version_before_it() throws Exception {
        try (Connection connection =
                DriverManager.getConnection(Catalog.url(server.socket(), "postgres"), "coppice_admin", "")) {
            connection.setAutoCommit(false);
            assertThatThrownBy(() -> new Migrations(List.of("001_initial.sql", "001_initial.sql")).apply(connection))
                    .hasMessageContaining("already exists");
            connection.rollback();
            assertThat(Sql.list(connection, row -> row.getInt(1), "SELECT version FROM schema_version"))
                    .containsExactly(1);
            new Migrations(List.of("001_initial.sql")).apply(connection);
        }
    }

    @Test
    void a_name_that_is_taken_is_a_conflict_and_leaves_nothing_behind() {
        try (Catalog catalog = Catalog.open(server.socket())) {
            fill(catalog);
            Branch twin = branch("br-c", "br-a", "main", false);
            assertThatThrownBy(() -> catalog.change(
                            "p",
                            c -> {
                                Rows.insert(c, twin);
                                RoleRows.inheritRoles(c, "br-a", "br-c", NOW);
                            },
                            image -> image.put(twin)))
                    .isInstanceOfSatisfying(
                            ControlException.class,
                            e -> assertThat(e.kind()).isEqualTo(ControlException.Kind.CONFLICT));
            check(catalog.inventory());
        }
    }

    @Test
    void a_stored_password_is_dropped_when_the_live_verifier_is_another() {
        try (Catalog catalog = Catalog.open(server.socket())) {
            fill(catalog);
            catalog.change(
                    "p",
                    c -> RoleRows.replaceRoles(
                            c,
                            "br-a",
                            List.of(new LoginRole("alice", "verifier", true), new LoginRole("carol", null, false)),
                            NOW),
                    image -> {});
            assertThat(password(catalog, "br-a")).isPresent();
            assertThat(roleNames(catalog)).containsExactly("alice", "carol");
            catalog.change(
                    "p",
                    c -> RoleRows.replaceRoles(c, "br-a", List.of(new LoginRole("alice", "other", true)), NOW),
                    image -> {});
            assertThat(password(catalog, "br-a")).isEmpty();
            assertThat(password(catalog, "br-b")).isPresent();
        }
    }

    private static List<Branch> stored(Catalog catalog) {
        return catalog.transaction(c -> Rows.branches(c, "p"));
    }

    private static Optional<byte[]> password(Catalog catalog, String branchId) {
        return catalog.transaction(c -> RoleRows.sealedPassword(c, branchId, new LoginRole("alice", "verifier", true)));
    }

    private static List<String> roleNames(Catalog catalog) {
        List<Role> roles = catalog.transaction(c -> RoleRows.roles(c, "br-a"));
        return roles.stream().map(Role::name).toList();
    }

    private static void fill(Catalog catalog) {
        Project project = new Project("p", "coppice", 18, 86_400, ProjectSettings.DEFAULTS, NOW, NOW);
        Branch main = branch("br-a", null, "main", true);
        Branch child = branch("br-b", "br-a", "dev", false);
        Endpoint endpoint = new Endpoint(
                "ep-a",
                "p",
                "br-a",
                Endpoint.READ_WRITE,
                0,
                false,
                ProjectSettings.EndpointSettings.DEFAULTS,
                false,
                null,
                NOW,
                NOW);
        LoginRole alice = new LoginRole("alice", "verifier", true);
        catalog.change(
                "p",
                c -> {
                    Rows.insert(c, project);
                    Rows.insert(c, main);
                    Rows.insert(c, endpoint);
                    RoleRows.put(c, "br-a", alice, new byte[] {9}, NOW);
                    RoleRows.putDatabase(c, "br-a", "app", "alice", NOW);
                    Rows.insert(c, child);
                    RoleRows.inheritRoles(c, "br-a", "br-b", NOW);
                },
                image -> {
                    image.put(project);
                    image.put(main);
                    image.put(child);
                    image.put(endpoint);
                    image.putRoles("br-a", Map.of("alice", alice));
                    image.putRoles("br-b", Map.of("alice", alice));
                });
    }

    private static void check(Inventory inventory) {
        assertThat(inventory.project("p").orElseThrow())
                .isEqualTo(new Project("p", "coppice", 18, 86_400, ProjectSettings.DEFAULTS, NOW, NOW));
        assertThat(inventory.branchesOf("p"))
                .containsExactly(branch("br-a", null, "main", true), branch("br-b", "br-a", "dev", false));
        assertThat(inventory.defaultBranch("p").orElseThrow().id()).isEqualTo("br-a");
        assertThat(inventory.endpointOfBranch("br-a").orElseThrow().id()).isEqualTo("ep-a");
        assertThat(inventory.roles("br-b")).containsEntry("alice", new LoginRole("alice", "verifier", true));
        assertThat(inventory.childrenOf("br-a")).extracting(Branch::id).containsExactly("br-b");
    }

    private static Branch branch(String id, @Nullable String parent, String name, boolean isDefault) {
        Lsn lsn = parent == null ? null : Lsn.parse("0/16B3748");
        return new Branch(
                id,
                "p",
                parent,
                lsn,
                parent == null ? null : NOW,
                name,
                id,
                BranchState.READY,
                isDefault,
                false,
                "api",
                null,
                false,
                NOW,
                NOW);
    }
}
