package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.TimelineId;
import dev.coppice.control.ControlFixture.Answer;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchLife;
import dev.coppice.control.sql.AdminConnection;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.Set;
import java.util.TreeSet;

/** A project of its own on a control plane, in the words of the tests. */
final class ProjectFixture {
    final ControlFixture control;
    final String id;
    final String base;
    final String main;
    private final Set<String> others;

    ProjectFixture(ControlFixture control, String name) {
        this.control = control;
        this.others = timelines(control);
        Answer made = control.post("/projects", "{\"project\":{\"name\":\"" + name + "\"}}");
        assertThat(made.status()).as(made.body().toString()).isEqualTo(201);
        id = made.text("/project/id");
        base = "/projects/" + id;
        main = made.text("/branch/id");
    }

    /** The timelines that came since the project was made. */
    Set<String> timelines() {
        Set<String> own = timelines(control);
        own.removeAll(others);
        return own;
    }

    private static Set<String> timelines(ControlFixture control) {
        Set<String> names = new TreeSet<>();
        control.pages.timelines().stream().map(TimelineId::value).forEach(names::add);
        return names;
    }

    /** @param fields of the branch object, without braces */
    Answer create(String fields) {
        return control.post(base + "/branches", "{\"branch\":{" + fields + "}}");
    }

    String created(String name) {
        return created(name, main);
    }

    String created(String name, String parent) {
        Answer made = create("\"name\":\"" + name + "\",\"parent_id\":\"" + parent + "\"");
        assertThat(made.status()).as(made.body().toString()).isEqualTo(201);
        return made.text("/branch/id");
    }

    Answer get(String branch) {
        return control.get(base + "/branches/" + branch);
    }

    Answer patch(String branch, String fields) {
        return control.patch(base + "/branches/" + branch, "{\"branch\":{" + fields + "}}");
    }

    Answer delete(String branch) {
        return control.delete(base + "/branches/" + branch);
    }

    String endpointOf(String branch) {
        return control.get(base + "/branches/" + branch + "/endpoints").text("/endpoints/0/id");
    }

    Branch row(String branch) {
        return control.control
                .wiring()
                .ground
                .catalog()
                .inventory()
                .branch(branch)
                .orElseThrow();
    }

    /** Makes it look as if the branch had been deleted at another time. */
    void deletedAt(String branch, Instant when) {
        var _ = control.control
                .wiring()
                .ground
                .catalog()
                .changeBranch(
                        id, branch, row -> row.living(row.life().deleted(when, BranchLife.BY_USER), row.updatedAt()));
    }

    Path socket(String endpoint) {
        return control.control
                .routing()
                .wake(endpoint)
                .toCompletableFuture()
                .join()
                .socket();
    }

    void execute(String branch, String... statements) throws SQLException {
        executeIn(branch, AdminConnection.MAINTENANCE_DATABASE, statements);
    }

    void executeIn(String branch, String database, String... statements) throws SQLException {
        try (Connection connection = SuperuserSql.open(socket(endpointOf(branch)), database);
                Statement statement = connection.createStatement()) {
            statement.setEscapeProcessing(false);
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    String query(String branch, String sql) throws SQLException {
        return queryIn(branch, AdminConnection.MAINTENANCE_DATABASE, sql);
    }

    String queryIn(String branch, String database, String sql) throws SQLException {
        try (Connection connection = SuperuserSql.open(socket(endpointOf(branch)), database);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return String.valueOf(row.getString(1));
        }
    }
}
