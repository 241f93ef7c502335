package dev.coppice.control.masking;

import dev.coppice.control.masking.CleanPoint.CatalogSql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Cleans the catalogs that all databases of a cluster share. */
final class SharedCatalogs {
    private final Connection connection;
    private final Set<Protection> protections;

    SharedCatalogs(Connection connection, Set<Protection> protections) {
        this.connection = connection;
        this.protections = protections;
    }

    void clean(Map<String, @Nullable String> verifiers) throws SQLException {
        CatalogSql.execute(connection, "SET session_replication_role = replica");
        CatalogSql.execute(connection, "SET allow_system_table_mods = on");
        if (protections.contains(Protection.PASSWORDS)) {
            passwords(verifiers);
        }
        if (protections.contains(Protection.COMMENTS)) {
            for (String catalog : new String[] {"pg_shdescription", "pg_shseclabel"}) {
                CatalogSql.execute(connection, "DELETE FROM " + catalog);
                CatalogSql.rewrite(connection, catalog);
            }
        }
        if (protections.contains(Protection.CREDENTIALS)) {
            CatalogSql.rewrite(connection, "pg_subscription");
            // Settings with a dot belong to extensions and programs, which keep salts and keys in them.
            CatalogSql.execute(
                    connection,
                    "UPDATE pg_db_role_setting SET setconfig = (SELECT array_agg(each) FROM unnest(setconfig) each"
                            + " WHERE position('.' in split_part(each, '=', 1)) = 0)");
            CatalogSql.execute(connection, "DELETE FROM pg_db_role_setting WHERE setconfig IS NULL");
            CatalogSql.rewrite(connection, "pg_db_role_setting");
        }
    }

    private void passwords(Map<String, @Nullable String> verifiers) throws SQLException {
        CatalogSql.execute(connection, "UPDATE pg_authid SET rolpassword = NULL WHERE rolpassword IS NOT NULL");
        for (String name : CatalogSql.texts(connection, "SELECT rolname FROM pg_authid WHERE rolname !~ '^pg_'")) {
            String verifier = verifiers.get(name);
            if (verifier != null) {
                CatalogSql.execute(
                        connection,
                        "ALTER ROLE " + CatalogSql.identifier(name) + " PASSWORD " + CatalogSql.literal(verifier));
            }
        }
        CatalogSql.rewrite(connection, "pg_authid");
    }
}
