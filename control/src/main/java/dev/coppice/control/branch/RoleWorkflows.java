package dev.coppice.control.branch;

import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Database;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.model.Role;
import dev.coppice.control.catalog.rows.OperationRows;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.secret.ScramVerifier;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.control.sql.RoleRight;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Roles and databases of a branch: SQL on its compute first, then the catalog; a poll heals what a kill left between. */
public final class RoleWorkflows {
    private static final String APPLY = "apply_config";
    private static final String CHANGED = "changed";

    private final Workshop shop;

    public RoleWorkflows(Workshop shop) {
        this.shop = shop;
    }

    /** A role and, just after it was set, its password; a role that may not log in has none. */
    public record WithPassword(Role role, @Nullable String password, Operation operation) {}

    /** Roles, databases and a way in, in one reading. */
    public BranchContents contents(String projectId, String branchId) {
        Branch branch = shop.branch(projectId, branchId);
        return shop.catalog().transaction(connection -> BranchContents.read(shop, connection, branch.id()));
    }

    public List<Role> roles(String projectId, String branchId) {
        Branch branch = shop.branch(projectId, branchId);
        return shop.catalog().transaction(connection -> RoleRows.roles(connection, branch.id()));
    }

    public Role role(String projectId, String branchId, String name) {
        return roles(projectId, branchId).stream()
                .filter(role -> role.name().equals(name))
                .findFirst()
                .orElseThrow(() -> noRole(name));
    }

    /**
     * Creates a role that can log in, with a fresh password.
     *
     * @param rights what it may do besides
     */
    public WithPassword create(String projectId, String branchId, String name, Set<RoleRight> rights) {
        Names.role(name);
        return changing(projectId, branchId, branch -> setPassword(branch, name, rights));
    }

    /** Creates a role that cannot log in: a group of privileges. */
    public WithPassword createWithoutLogin(String projectId, String branchId, String name) {
        Names.role(name);
        return changing(projectId, branchId, branch -> {
            Endpoint endpoint = shop.endpointOf(branch);
            shop.computes().run(endpoint.id(), Workshop.timeline(branch), connection -> {
                ComputeSql.createRoleWithoutLogin(connection, name);
                return Boolean.TRUE;
            });
            LoginRole login = new LoginRole(name, null, false);
            Operation operation = apply(
                    branch, endpoint, connection -> RoleRows.put(connection, branch.id(), login, null, shop.now()));
            Map<String, LoginRole> roles = new HashMap<>(shop.inventory().roles(branch.id()));
            roles.put(name, login);
            shop.roleSync().remember(branch.id(), roles);
            return new WithPassword(role(branch.projectId(), branch.id(), name), null, operation);
        });
    }

    /** Gives the role a fresh password; the old one is refused from now on, in this branch only. */
    public WithPassword resetPassword(String projectId, String branchId, String name) {
        Names.role(name);
        return changing(projectId, branchId, branch -> setPassword(branch, name, null));
    }

    /** A restore in between would leave the change in what the branch was before. */
    private <T> T changing(String projectId, String branchId, Function<Branch, T> change) {
        try (BranchLocks.Hold _ = shop.locks().shared(shop.branch(projectId, branchId), CHANGED)) {
            return change.apply(shop.branch(projectId, branchId));
        }
    }

    /** @param rights of a role that is to be made; absent = it is there */
    private WithPassword setPassword(Branch branch, String name, @Nullable Set<RoleRight> rights) {
        String password = shop.tokens().password();
        String verifier = ScramVerifier.create(password, shop.random());
        Endpoint endpoint = shop.endpointOf(branch);
        LoginRole login = shop.computes().run(endpoint.id(), Workshop.timeline(branch), connection -> {
            if (rights != null) {
                ComputeSql.createRole(connection, name, verifier, rights);
            } else {
                ComputeSql.setVerifier(connection, name, verifier);
            }
            return ComputeSql.roles(connection).getOrDefault(name, new LoginRole(name, verifier, true));
        });
        byte[] sealed = shop.secrets().seal(password, sealContext(name));
        Operation operation =
                apply(branch, endpoint, connection -> RoleRows.put(connection, branch.id(), login, sealed, shop.now()));
        Map<String, LoginRole> roles = new HashMap<>(shop.inventory().roles(branch.id()));
        roles.put(name, login);
        shop.roleSync().remember(branch.id(), roles);
        return new WithPassword(role(branch.projectId(), branch.id(), name), password, operation);
    }

    /**
     * Drops the role.
     *
     * @throws ControlException UNPROCESSABLE when it owns something, with Postgres's words
     */
    public Role delete(String projectId, String branchId, String name) {
        Names.role(name);
        return changing(projectId, branchId, branch -> drop(branch, name));
    }

    private Role drop(Branch branch, String name) {
        Role role = role(branch.projectId(), branch.id(), name);
        Endpoint endpoint = shop.endpointOf(branch);
        shop.computes().run(endpoint.id(), Workshop.timeline(branch), connection -> {
            ComputeSql.dropRole(connection, name);
            return Boolean.TRUE;
        });
        apply(branch, endpoint, connection -> RoleRows.deleteRole(connection, branch.id(), name));
        Map<String, LoginRole> roles = new HashMap<>(shop.inventory().roles(branch.id()));
        roles.remove(name);
        shop.roleSync().remember(branch.id(), roles);
        return role;
    }

    /**
     * The role's password.
     *
     * @throws ControlException PRECONDITION when it is not stored because it was set by SQL
     */
    public String reveal(String projectId, String branchId, String name) {
        Branch branch = shop.branch(projectId, branchId);
        LoginRole known = shop.inventory().roles(branch.id()).get(name);
        if (known == null) {
            throw noRole(name);
        }
        String password = shop.catalog()
                .transaction(connection -> RoleRows.sealedPassword(connection, branch.id(), known))
                .map(stored -> shop.secrets().open(stored, sealContext(name)))
                .orElse("");
        if (password.isEmpty()) {
            throw new ControlException(
                    ControlException.Kind.PRECONDITION,
                    "the password of role \"" + name
                            + "\" is not stored because it was set by SQL; reset it to get one");
        }
        return password;
    }

    public List<Database> databases(String projectId, String branchId) {
        Branch branch = shop.branch(projectId, branchId);
        return shop.catalog().transaction(connection -> RoleRows.databases(connection, branch.id()));
    }

    public Database database(String projectId, String branchId, String name) {
        return databases(projectId, branchId).stream()
                .filter(database -> database.name().equals(name))
                .findFirst()
                .orElseThrow(() -> ControlException.notFound("database \"" + name + "\" not found"));
    }

    public Database createDatabase(String projectId, String branchId, String name, String owner) {
        Names.database(name);
        Names.role(owner);
        return changing(projectId, branchId, branch -> makeDatabase(branch, name, owner));
    }

    private Database makeDatabase(Branch branch, String name, String owner) {
        Endpoint endpoint = shop.endpointOf(branch);
        shop.computes().run(endpoint.id(), Workshop.timeline(branch), connection -> {
            ComputeSql.createDatabase(connection, name, owner);
            return Boolean.TRUE;
        });
        apply(branch, endpoint, connection -> RoleRows.putDatabase(connection, branch.id(), name, owner, shop.now()));
        return database(branch.projectId(), branch.id(), name);
    }

    /**
     * Gives the database another name or owner; an absent one stays. Renaming disconnects who uses it.
     *
     * @throws ControlException NOT_FOUND for the database or the owner, CONFLICT for the name
     */
    public Database updateDatabase(
            String projectId, String branchId, String name, @Nullable String newName, @Nullable String owner) {
        Names.database(name);
        String target = newName == null ? name : Names.database(newName);
        String newOwner = owner == null ? null : Names.role(owner);
        return changing(projectId, branchId, branch -> {
            Database database = database(projectId, branchId, name);
            Endpoint endpoint = shop.endpointOf(branch);
            shop.computes().run(endpoint.id(), Workshop.timeline(branch), connection -> {
                if (newOwner != null) {
                    ComputeSql.setDatabaseOwner(connection, name, newOwner);
                }
                if (!target.equals(name)) {
                    ComputeSql.renameDatabase(connection, name, target);
                }
                return Boolean.TRUE;
            });
            apply(branch, endpoint, connection -> {
                RoleRows.renameDatabase(connection, branch.id(), name, target);
                RoleRows.putDatabase(
                        connection,
                        branch.id(),
                        target,
                        newOwner == null ? database.ownerName() : newOwner,
                        shop.now());
            });
            return database(projectId, branchId, target);
        });
    }

    /** Drops the database, disconnecting who uses it. */
    public Database deleteDatabase(String projectId, String branchId, String name) {
        Names.database(name);
        return changing(projectId, branchId, branch -> dropDatabase(branch, name));
    }

    private Database dropDatabase(Branch branch, String name) {
        Database database = database(branch.projectId(), branch.id(), name);
        Endpoint endpoint = shop.endpointOf(branch);
        shop.computes().run(endpoint.id(), Workshop.timeline(branch), connection -> {
            ComputeSql.dropDatabase(connection, name);
            return Boolean.TRUE;
        });
        apply(branch, endpoint, connection -> RoleRows.deleteDatabase(connection, branch.id(), name));
        return database;
    }

    /** Sealed passwords go with the role's name: a child has the same name and password as its parent. */
    static String sealContext(String role) {
        return "role:" + role;
    }

    private Operation apply(Branch branch, Endpoint endpoint, Catalog.Change change) {
        Operation operation =
                shop.operation(branch.projectId(), branch.id(), endpoint.id(), APPLY, Operation.Status.FINISHED, null);
        shop.catalog()
                .change(
                        branch.projectId(),
                        connection -> {
                            change.run(connection);
                            OperationRows.insert(connection, operation);
                        },
                        image -> {});
        return operation;
    }

    private static ControlException noRole(String name) {
        return ControlException.notFound("role \"" + name + "\" not found");
    }
}
