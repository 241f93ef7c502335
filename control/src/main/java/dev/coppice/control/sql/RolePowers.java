package dev.coppice.control.sql;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/**
 * What the owners of a branch's databases may do in it: everything, or everything that stays inside the database. The second are members of {@value
 * #GROUP}, and have the attributes that cannot be inherited.
 */
public final class RolePowers {
    /** Holds what owners may do that are no superusers; nobody logs in as it. */
    public static final String GROUP = "coppice_superuser";

    /** Attributes of owners that are no superusers. */
    static final String ATTRIBUTES = "CREATEDB CREATEROLE REPLICATION BYPASSRLS";

    private static final int FIRST_WITH_CREATE_SUBSCRIPTION = 16;
    private static final int FIRST_WITH_MAINTAIN = 17;

    private RolePowers() {}

    /** Makes sure that the group is there, with what its members may do. */
    static void prepareGroup(Connection connection, int majorVersion) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            if (names(connection, "SELECT rolname FROM pg_authid WHERE rolname = '" + GROUP + "'")
                    .isEmpty()) {
                statement.execute("CREATE ROLE " + GROUP + " NOLOGIN");
            }
            // Somebody may have made it what it is not to be.
            statement.execute("ALTER ROLE " + GROUP
                    + " NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOLOGIN PASSWORD NULL");
            statement.execute("GRANT pg_read_all_data, pg_write_all_data, pg_monitor, pg_signal_backend"
                    + (majorVersion >= FIRST_WITH_CREATE_SUBSCRIPTION ? ", pg_create_subscription" : "")
                    + (majorVersion >= FIRST_WITH_MAINTAIN ? ", pg_maintain" : "") + " TO " + GROUP);
        }
    }

    /** Takes superusers' rights from every role but Coppice's own; they become members of the group. */
    public static void limit(Connection connection, int majorVersion) throws SQLException {
        prepareGroup(connection, majorVersion);
        try (Statement statement = connection.createStatement()) {
            for (String name : names(
                    connection,
                    "SELECT quote_ident(rolname) FROM pg_authid WHERE rolsuper AND rolname <> '" + AdminConnection.ROLE
                            + "'")) {
                statement.execute("ALTER ROLE " + name + " NOSUPERUSER " + ATTRIBUTES);
                statement.execute("GRANT " + GROUP + " TO " + name);
            }
            // What leads out of the database, or back to a superuser.
            for (String grant : names(
                    connection,
                    "SELECT format('REVOKE %I FROM %I CASCADE', r.rolname, m.rolname) FROM pg_auth_members a"
                            + " JOIN pg_authid r ON r.oid = a.roleid JOIN pg_authid m ON m.oid = a.member"
                            + " WHERE r.rolname IN ('" + AdminConnection.ROLE
                            + "', 'pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')"
                            + " AND NOT m.rolsuper")) {
                statement.execute(grant);
            }
        }
    }

    /** Makes those superusers again that {@link #limit}, or the making of a project, made members of the group. */
    public static void raise(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String name : names(
                    connection,
                    "SELECT quote_ident(m.rolname) FROM pg_auth_members a JOIN pg_authid r ON r.oid = a.roleid"
                            + " JOIN pg_authid m ON m.oid = a.member JOIN pg_authid g ON g.oid = a.grantor"
                            + " WHERE r.rolname = '" + GROUP + "' AND g.rolname = '" + AdminConnection.ROLE
                            + "' AND NOT m.rolsuper")) {
                statement.execute("ALTER ROLE " + name + " SUPERUSER");
            }
        }
    }

    private static List<String> names(Connection connection, String query) throws SQLException {
        List<String> names = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            while (rows.next()) {
                names.add(rows.getString(1));
            }
        }
        return names;
    }
}
