package dev.coppice.control.role;

import dev.coppice.control.activity.RoleSync;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Database;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.model.Role;
import dev.coppice.control.catalog.rows.OperationRows;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.endpoint.Computes;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.NameRules;
import dev.coppice.control.operation.BranchLocks;
import dev.coppice.control.operation.OperationLog;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.control.sql.RoleRight;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Roles and databases of a branch: SQL on its compute first, then the catalog; a poll heals what a kill left between. */
public final class RoleWorkflows {
    private static final String CHANGED = "changed";

    private final Catalog catalog;
    private final Inventory inventory;
    private final Finder finder;
    private final Computes computes;
    private final RoleSync roleSync;
    private final RolePasswords passwords;
    private final BranchLocks locks;
    private final OperationLog operations;
    private final Clock clock;

    public RoleWorkflows(
            Catalog catalog,
            Finder finder,
            Computes computes,
            RoleSync roleSync,
            RolePasswords passwords,
            BranchLocks locks,
            OperationLog operations,
            Clock clock) {
        this.catalog = catalog;
        this.inventory = catalog.inventory();
        this.finder = finder;
        this.computes = computes;
        this.roleSync = roleSync;
        this.passwords = passwords;
        this.locks = locks;
        this.operations = operations;
        this.clock = clock;
    }

    /** A role and, just after it was set, its password; a role that may not log in has none. */
    public record WithPassword(Role role, @Nullable String password, Operation operation) {}

    /** Roles, databases and a way in, in one reading. */
    public BranchContents contents(String projectId, String branchId) {
        Branch branch = finder.branch(projectId, branchId);
        return catalog.transaction(connection -> BranchContents.read(passwords, connection, branch.id()));
    }

    public List<Role> roles(String projectId, String branchId) {
        Branch branch = finder.branch(projectId, branchId);
        return catalog.transaction(connection -> RoleRows.roles(connection, branch.id()));
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
        NameRules.role(name);
        return changing(projectId, branchId, branch -> setPassword(branch, name, rights));
    }

    /** Creates a role that cannot log in: a group of privileges. */
    public WithPassword createWithoutLogin(String projectId, String branchId, String name) {
        NameRules.role(name);
        return changing(projectId, branchId, branch -> {
            Endpoint endpoint = finder.endpointOf(branch);
            computes.run(endpoint.id(), branch.timeline(), connection -> {
                ComputeSql.createRoleWithoutLogin(connection, name);
                return Boolean.TRUE;
            });
            LoginRole login = new LoginRole(name, null, false);
            Operation operation = apply(
                    branch,
                    endpoint,
                    connection -> RoleRows.put(connection, branch.id(), login, null, clock.instant()));
            Map<String, LoginRole> roles = new HashMap<>(inventory.roles(branch.id()));
            roles.put(name, login);
            roleSync.remember(branch.id(), roles);
            return new WithPassword(role(branch.projectId(), branch.id(), name), null, operation);
        });
    }

    /** Gives the role a fresh password; the old one is refused from now on, in this branch only. */
    public WithPassword resetPassword(String projectId, String branchId, String name) {
        NameRules.role(name);
        return changing(projectId, branchId, branch -> setPassword(branch, name, null));
    }

    /** A restore in between would leave the change in what the branch was before. */
    private <T> T changing(String projectId, String branchId, Function<Branch, T> change) {
        try (BranchLocks.Hold _ = locks.shared(finder.branch(projectId, branchId), CHANGED)) {
            return change.apply(finder.branch(projectId, branchId));
        }
    }

    /** @param rights of a role that is to be made; absent = it is there */
    private WithPassword setPassword(Branch branch, String name, @Nullable Set<RoleRight> rights) {
        String password = passwords.fresh();
        String verifier = passwords.verifier(password);
        Endpoint endpoint = finder.endpointOf(branch);
        LoginRole login = computes.run(endpoint.id(), branch.timeline(), connection -> {
            if (rights != null) {
                ComputeSql.createRole(connection, name, verifier, rights);
            } else {
                ComputeSql.setVerifier(connection, name, verifier);
            }
            return ComputeSql.roles(connection).getOrDefault(name, new LoginRole(name, verifier, true));
        });
        byte[] sealed = passwords.seal(name, password);
        Operation operation = apply(
                branch, endpoint, connection -> RoleRows.put(connection, branch.id(), login, sealed, clock.instant()));
        Map<String, LoginRole> roles = new HashMap<>(inventory.roles(branch.id()));
        roles.put(name, login);
        roleSync.remember(branch.id(), roles);
        return new WithPassword(role(branch.projectId(), branch.id(), name), password, operation);
    }

    /**
     * Drops the role.
     *
     * @throws ControlException UNPROCESSABLE when it owns something, with Postgres's words
     */
    public Role delete(String projectId, String branchId, String name) {
        NameRules.role(name);
        return changing(projectId, branchId, branch -> drop(branch, name));
    }

    private Role drop(Branch branch, String name) {
        Role role = role(branch.projectId(), branch.id(), name);
        Endpoint endpoint = finder.endpointOf(branch);
        computes.run(endpoint.id(), branch.timeline(), connection -> {
            ComputeSql.dropRole(connection, name);
            return Boolean.TRUE;
        });
        apply(branch, endpoint, connection -> RoleRows.deleteRole(connection, branch.id(), name));
        Map<String, LoginRole> roles = new HashMap<>(inventory.roles(branch.id()));
        roles.remove(name);
        roleSync.remember(branch.id(), roles);
        return role;
    }

    /**
     * The role's password.
     *
     * @throws ControlException PRECONDITION when it is not stored because it was set by SQL
     */
    public String reveal(String projectId, String branchId, String name) {
        Branch branch = finder.branch(projectId, branchId);
        LoginRole known = inventory.roles(branch.id()).get(name);
        if (known == null) {
            throw noRole(name);
        }
        String password = catalog.transaction(connection -> RoleRows.sealedPassword(connection, branch.id(), known))
                .map(stored -> passwords.open(name, stored))
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
        Branch branch = finder.branch(projectId, branchId);
        return catalog.transaction(connection -> RoleRows.databases(connection, branch.id()));
    }

    public Database database(String projectId, String branchId, String name) {
        return databases(projectId, branchId).stream()
                .filter(database -> database.name().equals(name))
                .findFirst()
                .orElseThrow(() -> ControlException.notFound("database \"" + name + "\" not found"));
    }

    public Database createDatabase(String projectId, String branchId, String name, String owner) {
        NameRules.database(name);
        NameRules.role(owner);
        return changing(projectId, branchId, branch -> makeDatabase(branch, name, owner));
    }

    private Database makeDatabase(Branch branch, String name, String owner) {
        Endpoint endpoint = finder.endpointOf(branch);
        computes.run(endpoint.id(), branch.timeline(), connection -> {
            ComputeSql.createDatabase(connection, name, owner);
            return Boolean.TRUE;
        });
        apply(
                branch,
                endpoint,
                connection -> RoleRows.putDatabase(connection, branch.id(), name, owner, clock.instant()));
        return database(branch.projectId(), branch.id(), name);
    }

    /**
     * Gives the database another name or owner; an absent one stays. Renaming disconnects who uses it.
     *
     * @throws ControlException NOT_FOUND for the database or the owner, CONFLICT for the name
     */
    public Database updateDatabase(
            String projectId, String branchId, String name, @Nullable String newName, @Nullable String owner) {
        NameRules.database(name);
        String target = newName == null ? name : NameRules.database(newName);
        String newOwner = owner == null ? null : NameRules.role(owner);
        return changing(projectId, branchId, branch -> {
            Database database = database(projectId, branchId, name);
            Endpoint endpoint = finder.endpointOf(branch);
            computes.run(endpoint.id(), branch.timeline(), connection -> {
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
                        clock.instant());
            });
            return database(projectId, branchId, target);
        });
    }

    /** Drops the database, disconnecting who uses it. */
    public Database deleteDatabase(String projectId, String branchId, String name) {
        NameRules.database(name);
        return changing(projectId, branchId, branch -> dropDatabase(branch, name));
    }

    private Database dropDatabase(Branch branch, String name) {
        Database database = database(branch.projectId(), branch.id(), name);
        Endpoint endpoint = finder.endpointOf(branch);
        computes.run(endpoint.id(), branch.timeline(), connection -> {
            ComputeSql.dropDatabase(connection, name);
            return Boolean.TRUE;
        });
        apply(branch, endpoint, connection -> RoleRows.deleteDatabase(connection, branch.id(), name));
        return database;
    }

    private Operation apply(Branch branch, Endpoint endpoint, Catalog.Change change) {
        Operation operation = operations.draft(
                branch.projectId(),
                branch.id(),
                endpoint.id(),
                Operation.APPLY_CONFIG,
                Operation.Status.FINISHED,
                null);
        catalog.change(
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
