package dev.coppice.control.role;

import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.sql.ComputeSql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Fresh passwords for the roles of a branch that is being made; for one branch, by one thread. */
public final class Credentials {
    private final RolePasswords passwords;
    private final Map<String, String> chosen = new HashMap<>();

    public Credentials(RolePasswords passwords) {
        this.passwords = passwords;
    }

    /** Chooses a password for every role that has one; answers their verifiers. */
    public Map<String, @Nullable String> choose(Map<String, LoginRole> roles) {
        Map<String, @Nullable String> verifiers = new HashMap<>();
        for (LoginRole role : roles.values()) {
            if (role.verifier() != null) {
                String password = passwords.fresh();
                chosen.put(role.name(), password);
                verifiers.put(role.name(), passwords.verifier(password));
            }
        }
        return verifiers;
    }

    /** Gives every role that has a password another one, on the branch's compute. */
    public void renew(Connection compute) throws SQLException {
        for (Map.Entry<String, @Nullable String> entry :
                choose(ComputeSql.roles(compute)).entrySet()) {
            String verifier = entry.getValue();
            if (verifier != null) {
                ComputeSql.setVerifier(compute, entry.getKey(), verifier);
            }
        }
    }

    /** The password that was chosen for a role, as the catalog stores it; absent = none was. */
    public byte @Nullable [] sealed(String role) {
        String password = chosen.get(role);
        return password == null ? null : passwords.seal(role, password);
    }

    /** Stores the passwords that were chosen for roles that the branch has. */
    public void store(Connection catalog, Branch branch, Map<String, LoginRole> live) throws SQLException {
        for (String name : chosen.keySet()) {
            LoginRole role = live.get(name);
            if (role != null) {
                RoleRows.put(catalog, branch.id(), role, sealed(name), branch.createdAt());
            }
        }
    }
}
