package dev.coppice.server;

import static dev.coppice.server.Attack.Mechanism.BOUNDED_READING;
import static dev.coppice.server.Attack.Mechanism.LIMITS;
import static dev.coppice.server.Attack.Mechanism.ROLE_POWER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.server.Attack.Attempt;
import dev.coppice.server.Attack.Mechanism;
import dev.coppice.server.Attack.Party;
import java.io.IOException;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** One branch takes what all live of; and what a role without power tries, to come as far as that. */
final class ResourceAttacks {
    private static final int PROCESSES = 6000;

    private ResourceAttacks() {}

    /** In a branch of its own, whose compute may not survive it. */
    @FunctionalInterface
    private interface InRuins {
        Optional<String> succeeds(Foothold from) throws SQLException, IOException;
    }

    private static Attempt ruinous(InRuins step) {
        return (cage, _) -> {
            String name = cage.newName();
            try (Foothold from = cage.branch(name)) {
                from.sql("CREATE TABLE t AS SELECT 1");
                Optional<String> success;
                try {
                    success = step.succeeds(from);
                } catch (SQLException e) {
                    // The compute ended over it: its own affair.
                    success = Optional.empty();
                }
                cage.assertOthersGoOn();
                // A compute that is not awake yet, too.
                String other = cage.newName();
                try (Foothold asleep = cage.branch(other)) {
                    assertThat(asleep.sql("SELECT 1")).isEqualTo("1");
                }
                cage.tryCli("computes", "suspend", name);
                cage.cli("branches", "delete", name, "--hard");
                cage.cli("branches", "delete", other, "--hard");
                return success;
            }
        };
    }

    private static Attack resource(String goal, String means, Set<Mechanism> mechanisms, InRuins step) {
        return new Attack(Party.OWNER, goal, means, mechanisms, ruinous(step));
    }

    static List<Attack> all() {
        return List.of(
                resource(
                        "take all process ids",
                        PROCESSES + " processes that sleep",
                        Set.of(LIMITS),
                        from -> ok(from.call("fork", PROCESSES))),
                resource(
                        "take the memory of all",
                        "one process that touches 3 GB",
                        Set.of(LIMITS),
                        from -> ok(from.call("hog", 3000, 0))),
                resource(
                        "take the server's threads and descriptors",
                        "20,000 connections to the page service",
                        Set.of(BOUNDED_READING),
                        from -> {
                            String said = from.call(
                                    "flood",
                                    from.program("printf %s \"$COPPICE_AGENT\"").strip(),
                                    20000);
                            // How many it were is the server's affair, as long as all others go on.
                            assertThat(said).startsWith("ok");
                            return Optional.empty();
                        }),
                masked("start a program", "COPY said FROM PROGRAM 'id'", "CREATE TEMP TABLE said (line text)"),
                masked(
                        "load native code",
                        "CREATE FUNCTION pg_temp.f(int) RETURNS int LANGUAGE c AS '/lib/x86_64-linux-gnu/libc.so.6', 'abs'"),
                masked("load native code", "LOAD '/lib/x86_64-linux-gnu/libc.so.6'"),
                masked("write a file of the host", "SELECT lo_export(1, '/tmp/coppice-cage-left')"),
                masked("end the standby's recovery, and write", "SELECT pg_promote()"),
                masked("take back its own mask", "ALTER SYSTEM SET hot_standby = off"));
    }

    private static Attack masked(String goal, String statement, String... before) {
        return new Attack(Party.MASKED_ROLE, goal, statement, Set.of(ROLE_POWER), (_, from) -> {
            for (String each : before) {
                from.sql(each);
            }
            String said = from.sql(statement);
            return said.startsWith(Foothold.REFUSED) ? Optional.empty() : Optional.of("done: " + said);
        });
    }

    private static Optional<String> ok(String said) {
        return said.startsWith("ok") ? Optional.of(said) : Optional.empty();
    }
}
