package dev.coppice.control;

import dev.coppice.control.ControlFixture.Answer;
import dev.coppice.control.anonymize.AnonymizeWorkflow;
import dev.coppice.control.anonymize.MaskingRules;
import dev.coppice.control.branch.BranchWorkflows;
import dev.coppice.control.branch.Made;
import dev.coppice.control.masking.RuleSet;
import dev.coppice.control.restore.Reanonymization;
import dev.coppice.control.timeline.BranchPointRequest;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A project whose first branch has something to hide, and what is done with it in tests of anonymized branches. */
final class MaskedParent {
    private final ControlFixture fixture;
    final String project;
    final String main;
    final String endpoint;
    final String database;

    MaskedParent(ControlFixture fixture, String name) {
        this.fixture = fixture;
        Answer made = fixture.post("/projects", "{\"project\":{\"name\":\"" + name + "\"}}");
        if (made.status() >= 300) {
            throw new IllegalStateException(made.toString());
        }
        project = made.text("/project/id");
        main = made.text("/branch/id");
        database = made.text("/databases/0/name");
        endpoint = endpointOf(main);
    }

    /** A rule for a column of a table in schema public. */
    RuleSet.Rule rule(String table, String column, String function) {
        return new RuleSet.Rule(database, "public", table, column, function, null, null, null);
    }

    RuleSet rules(RuleSet.Rule... rules) {
        return new RuleSet(RuleSet.Unlisted.KEEP, List.of(rules));
    }

    AnonymizeWorkflow workflow() {
        return fixture.control.wiring().anonymizing;
    }

    MaskingRules declared() {
        return fixture.control.wiring().maskingRules;
    }

    Reanonymization reanonymization() {
        return fixture.control.wiring().reanonymization;
    }

    Made anonymized(String name, RuleSet rules) {
        return workflow().create(request(name, main, new BranchPointRequest.Head()), rules);
    }

    Made child(String name, String parent) {
        return fixture.control.wiring().branches.create(request(name, parent, new BranchPointRequest.Head()));
    }

    BranchWorkflows.Request request(String name, @Nullable String parent, BranchPointRequest point) {
        return new BranchWorkflows.Request(project, parent, name, point, false, true, 0);
    }

    String endpointOf(String branch) {
        return fixture.control
                .wiring()
                .ground
                .catalog()
                .inventory()
                .endpointOfBranch(branch)
                .orElseThrow()
                .id();
    }

    Connection connect(String toEndpoint) throws Exception {
        return connect(toEndpoint, database);
    }

    Connection connect(String toEndpoint, String toDatabase) throws Exception {
        return SuperuserSql.open(socket(toEndpoint), toDatabase);
    }

    /** Where the woken compute listens. */
    Path socket(String ofEndpoint) throws Exception {
        return fixture.control
                .routing()
                .wake(ofEndpoint)
                .toCompletableFuture()
                .get()
                .socket();
    }

    void execute(String onEndpoint, String... statements) throws Exception {
        try (Connection connection = connect(onEndpoint)) {
            for (String sql : statements) {
                execute(connection, sql);
            }
        }
    }

    static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.setEscapeProcessing(false);
            statement.execute(sql);
        } catch (SQLException e) {
            throw new SQLException(sql + ": " + e.getMessage(), e.getSQLState(), e);
        }
    }

    /** The first column of what a query answers. */
    List<String> column(String onEndpoint, String sql) throws Exception {
        try (Connection connection = connect(onEndpoint)) {
            return column(connection, sql);
        }
    }

    static List<String> column(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.setEscapeProcessing(false);
            try (ResultSet rows = statement.executeQuery(sql)) {
                List<String> values = new ArrayList<>();
                while (rows.next()) {
                    values.add(rows.getString(1));
                }
                return values;
            }
        } catch (SQLException e) {
            throw new SQLException(sql + ": " + e.getMessage(), e.getSQLState(), e);
        }
    }

    String value(String onEndpoint, String sql) throws Exception {
        return column(onEndpoint, sql).getFirst();
    }

    /** Every finding of amcheck in a database, and of reading every row as text. */
    static List<String> findings(Connection connection) throws SQLException {
        execute(connection, "CREATE EXTENSION IF NOT EXISTS amcheck");
        List<String> findings = new ArrayList<>();
        for (String table : column(
                connection,
                "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'm', 't') AND relpersistence <> 't'")) {
            findings.addAll(column(
                    connection,
                    "SELECT relation || ': ' || msg FROM (SELECT '" + table.replace("'", "''")
                            + "' AS relation) r, verify_heapam('" + table.replace("'", "''")
                            + "', check_toast := true)"));
        }
        for (String index : column(
                connection,
                "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a"
                        + " ON a.oid = c.relam WHERE a.amname = 'btree' AND c.relkind = 'i'")) {
            execute(connection, "SELECT bt_index_check('" + index.replace("'", "''") + "', heapallindexed => true)");
        }
        for (String table : column(
                connection,
                "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'm') AND oid >= 16384"
                        + " AND (relkind = 'r' OR relispopulated)")) {
            column(connection, "SELECT sum(length(t::text))::text FROM " + table + " t");
        }
        return findings;
    }
}
