package dev.coppice.control.role;

import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Database;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.model.Role;
import dev.coppice.control.catalog.rows.RoleRows;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The roles and databases of a branch as the catalog has them, and how to connect to it.
 *
 * @param login to its first database as that database's owner; absent without a database, or when the owner's password is
 *     not stored
 */
public record BranchContents(List<Role> roles, List<Database> databases, Optional<Login> login) {

    /** A way in. */
    public record Login(String database, String role, String password) {}

    /** Reads them in the caller's transaction. */
    public static BranchContents read(RolePasswords passwords, Connection connection, String branchId)
            throws SQLException {
        return of(passwords, RoleRows.storedRoles(connection, branchId), RoleRows.databases(connection, branchId));
    }

    /** Gives a new branch what its parent has, in the caller's transaction; {@code current} is what memory says of its roles. */
    public static BranchContents inherit(
            RolePasswords passwords, Connection connection, Branch parent, Branch child, Map<String, LoginRole> current)
            throws SQLException {
        List<RoleRows.StoredRole> roles = RoleRows.inheritRoles(connection, parent.id(), child.id(), child.createdAt());
        List<Database> databases = RoleRows.inheritDatabases(connection, parent.id(), child.id(), child.createdAt());
        boolean lagging = roles.size() != current.size()
                || roles.stream()
                        .anyMatch(stored -> !stored.role()
                                .login()
                                .equals(current.get(stored.role().name())));
        if (lagging) {
            // What a poll of the parent saw and has not stored yet.
            RoleRows.replaceRoles(connection, child.id(), current.values(), child.createdAt());
            roles = RoleRows.storedRoles(connection, child.id());
        }
        return of(passwords, roles, databases);
    }

    private static BranchContents of(
            RolePasswords passwords, List<RoleRows.StoredRole> roles, List<Database> databases) {
        Optional<Login> login = databases.stream()
                .findFirst()
                .flatMap(database -> roles.stream()
                        .filter(stored -> stored.role().name().equals(database.ownerName()))
                        .findFirst()
                        .flatMap(RoleRows.StoredRole::sealedPassword)
                        .map(password -> new Login(
                                database.name(),
                                database.ownerName(),
                                passwords.open(database.ownerName(), password))));
        return new BranchContents(roles.stream().map(RoleRows.StoredRole::role).toList(), databases, login);
    }
}
