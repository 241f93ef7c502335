package dev.coppice.control.sql;

import dev.coppice.compute.ComputeAddress;
import dev.coppice.compute.ComputeService;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Switches subscriptions off in a copy, by what {@code ALTER SUBSCRIPTION ... DISABLE} and {@code SET (slot_name = NONE)} change. A slot belongs to the
 * parent: a copy must neither read from it nor, when somebody drops the subscription, drop it at the publisher.
 */
public final class Detaching implements ComputeService.Detacher {
    private final AdminConnection admin;

    public Detaching(AdminConnection admin) {
        this.admin = admin;
    }

    @Override
    public List<String> detach(ComputeAddress address) {
        try (Connection connection = admin.open(address)) {
            List<String> found = new ArrayList<>();
            Set<String> databases = new LinkedHashSet<>();
            try (Statement statement = connection.createStatement()) {
                try (ResultSet rows = statement.executeQuery(
                        "SELECT d.datname, s.subname, d.datallowconn FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid"
                                + " WHERE s.subenabled OR s.subslotname IS NOT NULL ORDER BY d.oid, s.oid")) {
                    while (rows.next()) {
                        found.add("subscription \"" + rows.getString(2) + "\" of database \"" + rows.getString(1)
                                + "\": disabled, slot_name = NONE");
                        if (rows.getBoolean(3)) {
                            databases.add(rows.getString(1));
                        }
                    }
                }
                statement.execute("SET allow_system_table_mods = on");
                statement.execute("UPDATE pg_subscription SET subenabled = false, subslotname = NULL"
                        + " WHERE subenabled OR subslotname IS NOT NULL");
            }
            for (String database : databases) {
                endSynchronization(address, database);
            }
            return found;
        } catch (SQLException e) {
            throw ComputeSql.translate(e);
        }
    }

    /**
     * Tables that were being copied have slots of their own at the publisher, named after the cluster, which a copy has in common with its parent. Those whose
     * rows are here count as copied, the others as not yet known: REFRESH PUBLICATION finds them.
     */
    private void endSynchronization(ComputeAddress address, String database) throws SQLException {
        try (Connection connection = admin.open(address, database);
                Statement statement = connection.createStatement()) {
            statement.execute("SET allow_system_table_mods = on");
            statement.execute("DELETE FROM pg_subscription_rel WHERE srsubstate IN ('i', 'd')");
            statement.execute("UPDATE pg_subscription_rel SET srsubstate = 'r' WHERE srsubstate IN ('f', 's')");
        }
    }
}
