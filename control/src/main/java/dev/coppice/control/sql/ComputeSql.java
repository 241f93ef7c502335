package dev.coppice.control.sql;

import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.secret.ScramVerifier;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Statements on a compute. Every method runs on a connection of {@link AdminConnection}, which the caller owns. */
public final class ComputeSql {
    /** The role that Coppice itself logs in with. */
    public static final String ADMIN = AdminConnection.ROLE;

    private ComputeSql() {}

    /**
     * The path of a relation's first file; empty when there is no such relation in this database, or it has no file. A name
     * without a schema is one of {@code pg_catalog} or {@code public}: no search path is asked.
     */
    public static Optional<String> relationPath(Connection connection, String relation) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT pg_relation_filepath(coalesce(to_regclass(?), to_regclass(?)))")) {
            statement.setString(1, relation);
            statement.setString(2, relation.indexOf('.') < 0 ? "public." + relation : relation);
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next() ? Optional.ofNullable(rows.getString(1)) : Optional.empty();
            }
        }
    }

    /** Reads roles and databases. */
    public static LiveState read(Connection connection) throws SQLException {
        return new LiveState(roles(connection), databases(connection));
    }

    /** Reads the roles only: what an authentication needs. */
    public static Map<String, LoginRole> roles(Connection connection) throws SQLException {
        Map<String, LoginRole> roles = new HashMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT rolname, rolpassword, rolcanlogin FROM pg_authid"
                        + " WHERE rolname !~ '^pg_' AND rolname NOT IN ('" + ADMIN + "', '" + RolePowers.GROUP
                        + "')")) {
            while (rows.next()) {
                String name = rows.getString(1);
                roles.put(name, new LoginRole(name, rows.getString(2), rows.getBoolean(3)));
            }
        }
        return roles;
    }

    private static Map<String, String> databases(Connection connection) throws SQLException {
        // In the order of their making: the first one is that which nobody has to name.
        Map<String, String> databases = new LinkedHashMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(
                        "SELECT d.datname, r.rolname FROM pg_database d JOIN pg_authid r ON r.oid = d.datdba"
                                + " WHERE NOT d.datistemplate AND d.datallowconn AND r.rolname <> '" + ADMIN
                                + "' ORDER BY d.oid")) {
            while (rows.next()) {
                databases.put(rows.getString(1), rows.getString(2));
            }
        }
        return databases;
    }

    /** Creates the first role of a project: a superuser, as the user of a database of one's own expects. */
    public static void createOwner(Connection connection, String role, String verifier) throws SQLException {
        execute(
                connection,
                "CREATE ROLE " + identifier(role) + " SUPERUSER LOGIN " + RolePowers.ATTRIBUTES + " PASSWORD "
                        + literal(verifier));
    }

    /** Creates a role that can log in and has these rights, no others. */
    public static void createRole(Connection connection, String role, String verifier, Set<RoleRight> rights)
            throws SQLException {
        StringBuilder attributes = new StringBuilder();
        rights.stream()
                .filter(right -> !right.isMembership())
                .forEach(right -> attributes.append(' ').append(right.name()));
        execute(
                connection,
                "CREATE ROLE " + identifier(role) + " LOGIN" + attributes + " PASSWORD " + literal(verifier));
        for (RoleRight right : rights) {
            if (right.isMembership()) {
                execute(connection, "GRANT " + right.text() + " TO " + identifier(role));
            }
        }
    }

    /** Whether the role may make others, which need not be masked as it is. */
    public static boolean mayCreateRoles(Connection connection, String role) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT rolcreaterole FROM pg_roles WHERE rolname = ?")) {
            statement.setString(1, role);
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next() && rows.getBoolean(1);
            }
        }
    }

    /** Creates a role that holds privileges and cannot log in. */
    public static void createRoleWithoutLogin(Connection connection, String role) throws SQLException {
        execute(connection, "CREATE ROLE " + identifier(role) + " NOLOGIN");
    }

    public static void setVerifier(Connection connection, String role, String verifier) throws SQLException {
        execute(connection, "ALTER ROLE " + identifier(role) + " PASSWORD " + literal(verifier));
    }

    /**
     * Of {@code wanted} the roles that {@code live} has with another password; those without a password that a proxy can
     * check are left out.
     */
    public static List<LoginRole> differing(Map<String, LoginRole> wanted, Map<String, LoginRole> live) {
        return wanted.values().stream()
                .filter(role -> {
                    String verifier = role.verifier();
                    LoginRole other = live.get(role.name());
                    return verifier != null
                            && ScramVerifier.isScram(verifier)
                            && other != null
                            && !verifier.equals(other.verifier());
                })
                .toList();
    }

    /** Gives each of these roles, which exist, its verifier. */
    public static void setVerifiers(Connection connection, List<LoginRole> roles) throws SQLException {
        for (LoginRole role : roles) {
            setVerifier(connection, role.name(), Objects.requireNonNull(role.verifier()));
        }
    }

    /** Lets a role log in to the compute, or no longer. */
    public static void setLogin(Connection connection, String role, boolean allowed) throws SQLException {
        execute(connection, "ALTER ROLE " + identifier(role) + (allowed ? " LOGIN" : " NOLOGIN"));
    }

    /** Takes the right to log in from those of these roles that are there and have it. */
    public static void shutOut(Connection connection, Set<String> names) throws SQLException {
        for (LoginRole role : names.isEmpty()
                ? List.<LoginRole>of()
                : List.copyOf(roles(connection).values())) {
            if (role.canLogin() && names.contains(role.name())) {
                setLogin(connection, role.name(), false);
            }
        }
    }

    /** Whether the role is a superuser; empty when there is no such role. */
    public static Optional<Boolean> isSuperuser(Connection connection, String role) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = ?")) {
            statement.setString(1, role);
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next() ? Optional.of(rows.getBoolean(1)) : Optional.empty();
            }
        }
    }

    /** Ends the role's sessions, replication too, and waits for their end; answers how many there were. */
    public static int endSessions(Connection connection, String role) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT pg_catalog.pg_terminate_backend(pid, 5000)"
                        + " FROM pg_catalog.pg_stat_activity WHERE usename = ?")) {
            statement.setString(1, role);
            int ended = 0;
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    ended++;
                }
            }
            return ended;
        }
    }

    public static void dropRole(Connection connection, String role) throws SQLException {
        execute(connection, "DROP ROLE " + identifier(role));
    }

    public static void createDatabase(Connection connection, String database, String owner) throws SQLException {
        execute(connection, "CREATE DATABASE " + identifier(database) + " OWNER " + identifier(owner));
    }

    public static void setDatabaseOwner(Connection connection, String database, String owner) throws SQLException {
        execute(connection, "ALTER DATABASE " + identifier(database) + " OWNER TO " + identifier(owner));
    }

    /** Renames the database and disconnects who uses it, as Postgres wants nobody to. */
    public static void renameDatabase(Connection connection, String database, String newName) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = ? AND pid <> pg_backend_pid()")) {
            statement.setString(1, database);
            statement.execute();
        }
        execute(connection, "ALTER DATABASE " + identifier(database) + " RENAME TO " + identifier(newName));
    }

    /** Writes a checkpoint, as fast as it goes; returns when it is complete. */
    public static void checkpoint(Connection connection) throws SQLException {
        execute(connection, "CHECKPOINT");
    }

    /** Drops the database and disconnects who uses it. */
    public static void dropDatabase(Connection connection, String database) throws SQLException {
        execute(connection, "DROP DATABASE " + identifier(database) + " WITH (FORCE)");
    }

    /** What a refusal by Postgres means to the person who asked. */
    public static ControlException translate(SQLException e) {
        @Nullable String state = e.getSQLState();
        String message = "Postgres refused: " + AdminConnection.said(e);
        ControlException.Kind kind = switch (state == null ? "" : state) {
            case "42710", "42P04" -> ControlException.Kind.CONFLICT;
            case "42704", "3D000" -> ControlException.Kind.NOT_FOUND;
            case "2BP01", "55000", "55006", "42939", "42501", "0A000", "22023", "42602" ->
                ControlException.Kind.UNPROCESSABLE;
            case "57P01", "57P02", "57P03", "08006", "08003", "08001", "8001", "" -> ControlException.Kind.UNAVAILABLE;
            default -> ControlException.Kind.INTERNAL;
        };
        return new ControlException(kind, message, e);
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            // JDBC escapes ({d ..}) would otherwise be looked for inside quoted names.
            statement.setEscapeProcessing(false);
            statement.execute(sql);
        }
    }

    static String identifier(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    /** A verifier is plain ASCII without backslashes; a quote is doubled all the same. */
    private static String literal(String text) {
        return '\'' + text.replace("'", "''") + '\'';
    }
}
