package dev.coppice.control;

import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.sql.AdminConnection;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;

/** Sessions of the superuser as anybody would have them: with the settings of the database, unlike those of the control plane. */
final class SuperuserSql {
    private SuperuserSql() {}

    static Connection open(Path socket) throws SQLException {
        return open(socket, AdminConnection.MAINTENANCE_DATABASE);
    }

    static Connection open(Path socket, String database) throws SQLException {
        return DriverManager.getConnection(Catalog.url(socket, database), AdminConnection.ROLE, "");
    }
}
