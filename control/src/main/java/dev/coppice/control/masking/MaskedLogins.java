package dev.coppice.control.masking;

import dev.coppice.control.masking.CleanPoint.CatalogSql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;

/**
 * Takes from every role of a cluster, on its clean point, what would let it do more in a masked view than read: so that who logs in there, or whatever
 * function it calls, cannot end the standby's recovery, start a program or open a file of the server. What may be read of the tables stays as it is.
 */
public final class MaskedLogins {
    private final CleanPoint.Databases databases;

    public MaskedLogins(CleanPoint.Databases databases) {
        this.databases = databases;
    }

    /**
     * Changes the roles.
     *
     * @param main a connection to any database, as {@code admin}
     * @param admin Coppice's own role, which stays as it is
     * @param logins the roles that can log in from now on; nobody else can
     */
    public void restrict(Connection main, String admin, Collection<String> logins) throws SQLException {
        CatalogSql.execute(main, "SET session_replication_role = replica");
        CatalogSql.execute(main, "SET allow_system_table_mods = on");
        String mine = CatalogSql.literal(admin);
        List<String> names = logins.stream().map(CatalogSql::literal).toList();
        CatalogSql.execute(
                main,
                "UPDATE pg_authid SET rolsuper = false, rolcreaterole = false, rolcreatedb = false,"
                        + " rolreplication = false, rolconnlimit = -1, rolcanlogin = "
                        + (names.isEmpty() ? "false" : "rolname IN (" + String.join(", ", names) + ")")
                        + " WHERE rolname <> " + mine);
        CatalogSql.execute(
                main,
                "DELETE FROM pg_auth_members WHERE roleid IN (SELECT oid FROM pg_authid WHERE rolname IN (" + mine
                        + ", 'pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'))");
        if (!CatalogSql.texts(main, "SELECT '' WHERE to_regclass('pg_catalog.pg_parameter_acl') IS NOT NULL")
                .isEmpty()) {
            CatalogSql.execute(main, "DELETE FROM pg_parameter_acl");
        }
        for (String name : CatalogSql.texts(main, "SELECT datname FROM pg_database WHERE datallowconn ORDER BY oid")) {
            try (Connection connection = databases.open(name)) {
                restrict(connection, admin);
            }
        }
    }

    private static void restrict(Connection connection, String admin) throws SQLException {
        CatalogSql.execute(connection, "SET session_replication_role = replica");
        CatalogSql.execute(connection, "SET allow_system_table_mods = on");
        String only = CatalogSql.identifier(admin);
        CatalogSql.execute(
                connection,
                "UPDATE pg_proc SET proacl = ARRAY[makeaclitem(" + CatalogSql.literal(only)
                        + "::regrole, " + CatalogSql.literal(only) + "::regrole, 'EXECUTE', false)]"
                        + " WHERE pronamespace = 'pg_catalog'::regnamespace"
                        + " AND proname IN ('pg_promote', 'lo_import', 'lo_export')");
        // One on login would run in every session, and may write.
        CatalogSql.execute(connection, "UPDATE pg_event_trigger SET evtenabled = 'D'");
    }
}
