package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.Lsn;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

/** What the first wake of a branch has to replay when its parent has written much since its last checkpoint. */
class BusyParentIT {
    private static final int NEVER = -1;
    private static final long LITTLE = 512 << 10;

    @Test
    void a_branch_of_a_parent_with_much_to_replay_starts_from_a_fresh_checkpoint_and_has_everything() throws Exception {
        try (ControlFixture fixture = new ControlFixture(NEVER)) {
            String base = "/projects/" + fixture.get("/projects").text("/projects/0/id");
            String parent = fixture.get(base + "/branches").text("/branches/0/id");
            String endpoint =
                    fixture.get(base + "/branches/" + parent + "/endpoints").text("/endpoints/0/id");
            Path socket = fixture.control
                    .routing()
                    .wake(endpoint)
                    .toCompletableFuture()
                    .get()
                    .socket();
            try (Connection connection = SuperuserSql.open(socket);
                    Statement statement = connection.createStatement()) {
                statement.execute(
                        "CREATE TABLE much AS SELECT g, repeat('x', 200) AS f FROM generate_series(1, 20000) g");
                Lsn written = Lsn.parse(text(statement, "SELECT pg_current_wal_lsn()::text"));
                assertThat(written.value() - redo(statement)).isGreaterThan(LITTLE);

                ControlFixture.Answer made =
                        fixture.post(base + "/branches", "{\"branch\":{\"parent_id\":\"" + parent + "\"}}");

                assertThat(made.status()).as(made.body().toString()).isEqualTo(201);
                Lsn point = Lsn.parse(made.text("/branch/parent_lsn"));
                assertThat(point).isGreaterThanOrEqualTo(written);
                assertThat(point.value() - redo(statement)).isBetween(0L, LITTLE);
            }
        }
    }

    private static long redo(Statement statement) throws Exception {
        return Lsn.parse(text(statement, "SELECT redo_lsn::text FROM pg_control_checkpoint()"))
                .value();
    }

    private static String text(Statement statement, String sql) throws Exception {
        try (ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }
}
