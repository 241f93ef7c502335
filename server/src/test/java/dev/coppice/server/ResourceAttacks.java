package dev.coppice.server;

import static dev.coppice.server.Attack.Mechanism.BOUNDED_READING;
import static dev.coppice.server.Attack.Mechanism.LIMITS;
import static dev.coppice.server.Attack.Mechanism.ROLE_POWER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.server.Attack.Attempt;
import dev.coppice.server.Attack.Mechanism;
import dev.coppice.server.Attack.Party;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** One branch takes what all live of; and what a role without power tries, to come as far as that. */
final class ResourceAttacks {
    private static final int PROCESSES = 6000;
    private static final int FILL_MEGABYTES = 3000;

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
                filler("a file of its own", "fill", "local/pgdata/filler"),
                filler("a file without a name", "fill-hidden", "local/pgdata/filler"),
                filler("a file below 60 directories", "fill", "local/pgdata/deep"),
                filler("its WAL's directory", "fill", "wal/filler"),
                filler("its journal", "fill", "journal/*1.journal"),
                new Attack(
                        Party.OWNER,
                        "fill the disk of all",
                        "tables, by SQL",
                        Set.of(LIMITS),
                        ruinous(
                                from -> filled(
                                        from,
                                        "INSERT INTO filler SELECT repeat(md5(n::text), 30) FROM generate_series(1, 3000000) n"))),
                new Attack(
                        Party.OWNER,
                        "fill the disk of all",
                        "temporary files, by SQL",
                        Set.of(LIMITS),
                        ruinous(from -> filled(
                                from,
                                "SELECT count(*) FROM (SELECT repeat(md5(n::text), 30) AS t FROM generate_series(1, 3000000) n"
                                        + " ORDER BY 1) s"))),
                masked("start a program", "COPY said FROM PROGRAM 'id'", "CREATE TEMP TABLE said (line text)"),
                masked(
                        "load native code",
                        "CREATE FUNCTION pg_temp.f(int) RETURNS int LANGUAGE c AS '/lib/x86_64-linux-gnu/libc.so.6', 'abs'"),
                masked("load native code", "LOAD '/lib/x86_64-linux-gnu/libc.so.6'"),
                masked("write a file of the host", "SELECT lo_export(1, '/tmp/coppice-cage-left')"),
                masked("end the standby's recovery, and write", "SELECT pg_promote()"),
                masked("take back its own mask", "ALTER SYSTEM SET hot_standby = off"));
    }

    /** Three gigabytes where a branch may take half of one. */
    private static Attack filler(String what, String operation, String place) {
        return new Attack(Party.OWNER, "fill the disk of all", "3 GB in " + what, Set.of(LIMITS), (cage, from) -> {
            Attempt attempt = ruinous(own -> {
                Path path = cage.own(own, place);
                if (place.endsWith("/deep")) {
                    String below = "/d".repeat(60);
                    own.program("mkdir -p " + path + below);
                    path = Path.of(path + below + "/file");
                }
                return ok(own.call(operation, path, FILL_MEGABYTES));
            });
            return attempt.succeeds(cage, from);
        });
    }

    /** Refused is what the server means to refuse; and it says why. */
    private static Optional<String> filled(Foothold from, String statement) throws SQLException {
        from.sql("CREATE TABLE filler (t text)");
        String said = from.sql(statement);
        if (!said.startsWith(Foothold.REFUSED)) {
            return Optional.of("done");
        }
        assertThat(said).contains("disk.max_branch_megabytes");
        assertThat(from.sql("DELETE FROM t", "VACUUM t", "DROP TABLE filler", "SELECT 'dropped'"))
                .isEqualTo("dropped");
        return Optional.empty();
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
