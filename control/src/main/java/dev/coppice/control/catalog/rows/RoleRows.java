package dev.coppice.control.catalog.rows;

import dev.coppice.control.catalog.model.Database;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.model.Role;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads and writes of the roles and databases of a branch; each runs inside the caller's transaction. */
public final class RoleRows {
    private RoleRows() {}

    /**
     * The sealed password of a role; absent when it is not known, or was stored with another verifier than the role has now.
     */
    public static Optional<byte[]> sealedPassword(Connection connection, String branchId, LoginRole role)
            throws SQLException {
        return Sql.first(
                connection, row -> row.getBytes("sealed_password"), """
                SELECT sealed_password FROM roles
                WHERE branch_id = ? AND name = ? AND sealed_password IS NOT NULL AND verifier = ?""", branchId, role.name(), role.verifier());
    }

    /** Inserts the role, or gives it this verifier and password. */
    public static void put(
            Connection connection, String branchId, LoginRole role, byte @Nullable [] sealed, Instant now)
            throws SQLException {
        Sql.update(connection, """
                INSERT INTO roles (branch_id, name, sealed_password, verifier, can_login, is_protected, created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, false, ?, ?)
                ON CONFLICT (branch_id, name) DO UPDATE SET sealed_password = excluded.sealed_password,
                    verifier = excluded.verifier, can_login = excluded.can_login, updated_at = excluded.updated_at""", branchId, role.name(), sealed, role.verifier(), role.canLogin(), now, now);
    }

    /** A role with its sealed password, when one is stored. */
    public record StoredRole(Role role, Optional<byte[]> sealedPassword) {}

    /** Gives a new branch its parent's roles, with their passwords; answers what it has now. */
    public static List<StoredRole> inheritRoles(Connection connection, String parentId, String childId, Instant now)
            throws SQLException {
        return Sql.list(connection, RoleRows::storedRole, """
                INSERT INTO roles (branch_id, name, sealed_password, verifier, can_login, is_protected, created_at, updated_at)
                SELECT ?::text, name, sealed_password, verifier, can_login, is_protected, created_at, ?::timestamptz
                FROM roles WHERE branch_id = ? ORDER BY name
                RETURNING *""", childId, now, parentId);
    }

    /** Gives a new branch its parent's databases; answers what it has now. */
    public static List<Database> inheritDatabases(Connection connection, String parentId, String childId, Instant now)
            throws SQLException {
        return Sql.list(connection, RoleRows::database, """
                INSERT INTO databases (branch_id, name, owner_name, created_at, updated_at)
                SELECT ?::text, name, owner_name, created_at, ?::timestamptz
                FROM databases WHERE branch_id = ? ORDER BY id
                RETURNING *""", childId, now, parentId);
    }

    /** Takes over another branch's stored passwords for roles that have the same verifier and none stored. */
    public static void adoptPasswords(Connection connection, String fromId, String toId) throws SQLException {
        Sql.update(connection, """
                UPDATE roles AS r SET sealed_password = o.sealed_password FROM roles AS o
                WHERE r.branch_id = ? AND o.branch_id = ? AND o.name = r.name AND o.verifier = r.verifier
                    AND r.sealed_password IS NULL""", toId, fromId);
    }

    public static void deleteRole(Connection connection, String branchId, String name) throws SQLException {
        Sql.update(connection, "DELETE FROM roles WHERE branch_id = ? AND name = ?", branchId, name);
    }

    public static void deleteDatabase(Connection connection, String branchId, String name) throws SQLException {
        Sql.update(connection, "DELETE FROM databases WHERE branch_id = ? AND name = ?", branchId, name);
    }

    /** Renames a database; nothing happens when a poll has noticed the new name already. */
    public static void renameDatabase(Connection connection, String branchId, String name, String newName)
            throws SQLException {
        Sql.update(
                connection,
                "UPDATE databases SET name = ? WHERE branch_id = ? AND name = ? AND NOT EXISTS"
                        + " (SELECT FROM databases WHERE branch_id = ? AND name = ?)",
                newName,
                branchId,
                name,
                branchId,
                newName);
    }

    public static void putDatabase(Connection connection, String branchId, String name, String owner, Instant now)
            throws SQLException {
        Sql.update(connection, """
                INSERT INTO databases (branch_id, name, owner_name, created_at, updated_at) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (branch_id, name) DO UPDATE SET owner_name = excluded.owner_name,
                    updated_at = excluded.updated_at""", branchId, name, owner, now, now);
    }

    /**
     * Makes the stored roles those of {@code live}. A stored password survives as long as its verifier is the live one: a
     * password that was changed by SQL cannot be revealed.
     */
    public static void replaceRoles(Connection connection, String branchId, Collection<LoginRole> live, Instant now)
            throws SQLException {
        Map<String, LoginRole> stored = loginRoles(connection, branchId);
        for (LoginRole role : live) {
            LoginRole before = stored.remove(role.name());
            if (!role.equals(before)) {
                Sql.update(connection, """
                        INSERT INTO roles AS r (branch_id, name, sealed_password, verifier, can_login, is_protected,
                            created_at, updated_at)
                        VALUES (?, ?, NULL, ?, ?, false, ?, ?)
                        ON CONFLICT (branch_id, name) DO UPDATE SET
                            sealed_password = CASE WHEN r.verifier IS NOT DISTINCT FROM excluded.verifier
                                THEN r.sealed_password END,
                            verifier = excluded.verifier, can_login = excluded.can_login,
                            updated_at = excluded.updated_at""", branchId, role.name(), role.verifier(), role.canLogin(), now, now);
            }
        }
        for (String gone : stored.keySet()) {
            deleteRole(connection, branchId, gone);
        }
    }

    /** Makes the stored databases those of {@code live}, a map from name to owner. */
    public static void replaceDatabases(Connection connection, String branchId, Map<String, String> live, Instant now)
            throws SQLException {
        Map<String, String> stored = new HashMap<>();
        for (Database database : databases(connection, branchId)) {
            stored.put(database.name(), database.ownerName());
        }
        for (Map.Entry<String, String> entry : live.entrySet()) {
            if (!entry.getValue().equals(stored.remove(entry.getKey()))) {
                putDatabase(connection, branchId, entry.getKey(), entry.getValue(), now);
            }
        }
        for (String gone : stored.keySet()) {
            deleteDatabase(connection, branchId, gone);
        }
    }

    public static List<Role> roles(Connection connection, String branchId) throws SQLException {
        return storedRoles(connection, branchId).stream().map(StoredRole::role).toList();
    }

    /** The roles of a branch with their passwords, by name. */
    public static List<StoredRole> storedRoles(Connection connection, String branchId) throws SQLException {
        return Sql.list(
                connection, RoleRows::storedRole, "SELECT * FROM roles WHERE branch_id = ? ORDER BY name", branchId);
    }

    /** The databases of a branch, oldest first. */
    public static List<Database> databases(Connection connection, String branchId) throws SQLException {
        return Sql.list(
                connection, RoleRows::database, "SELECT * FROM databases WHERE branch_id = ? ORDER BY id", branchId);
    }

    /** Every role of a project's branches, by branch and name. */
    public static Map<String, Map<String, LoginRole>> loginRolesByBranch(Connection connection, String project)
            throws SQLException {
        Map<String, Map<String, LoginRole>> result = new HashMap<>();
        Sql.list(
                connection,
                row -> result.computeIfAbsent(row.getString("branch_id"), _ -> new HashMap<>())
                        .put(row.getString("name"), loginRole(row)),
                """
                SELECT r.branch_id, r.name, r.verifier, r.can_login FROM roles r JOIN branches b ON b.id = r.branch_id
                WHERE b.project_id = ?""",
                project);
        // Most branches have the very roles of their parents: one map for all of them.
        Map<Map<String, LoginRole>, Map<String, LoginRole>> shared = new HashMap<>();
        result.replaceAll((_, roles) -> shared.computeIfAbsent(roles, Map::copyOf));
        return result;
    }

    private static Map<String, LoginRole> loginRoles(Connection connection, String branchId) throws SQLException {
        Map<String, LoginRole> result = new HashMap<>();
        for (Role role : roles(connection, branchId)) {
            result.put(role.name(), role.login());
        }
        return result;
    }

    private static StoredRole storedRole(ResultSet row) throws SQLException {
        return new StoredRole(
                new Role(
                        row.getString("branch_id"),
                        loginRole(row),
                        row.getBoolean("is_protected"),
                        Sql.instant(row, "created_at"),
                        Sql.instant(row, "updated_at")),
                Optional.ofNullable(row.getBytes("sealed_password")));
    }

    private static Database database(ResultSet row) throws SQLException {
        return new Database(
                row.getLong("id"),
                row.getString("branch_id"),
                row.getString("name"),
                row.getString("owner_name"),
                Sql.instant(row, "created_at"),
                Sql.instant(row, "updated_at"));
    }

    private static LoginRole loginRole(ResultSet row) throws SQLException {
        return new LoginRole(row.getString("name"), row.getString("verifier"), row.getBoolean("can_login"));
    }
}
