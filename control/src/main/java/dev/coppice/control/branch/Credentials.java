package dev.coppice.control.branch;

import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.secret.ScramVerifier;
import dev.coppice.control.sql.ComputeSql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;

/** Fresh passwords for the roles of a branch that is being made; for one branch, by one thread. */
final class Credentials {
    private final Workshop shop;
    private final Map<String, String> passwords = new HashMap<>();

    Credentials(Workshop shop) {
        this.shop = shop;
    }

    /** Gives every role that has a password another one, on the branch's compute. */
    void renew(Connection compute) throws SQLException {
        for (LoginRole role : ComputeSql.roles(compute).values()) {
            if (role.verifier() != null) {
                String password = shop.tokens().password();
                ComputeSql.setVerifier(compute, role.name(), ScramVerifier.create(password, shop.random()));
                passwords.put(role.name(), password);
            }
        }
    }

    /** Stores the passwords that {@link #renew} made. */
    void store(Connection catalog, Branch branch, Map<String, LoginRole> live) throws SQLException {
        for (Map.Entry<String, String> entry : passwords.entrySet()) {
            LoginRole role = live.get(entry.getKey());
            if (role != null) {
                byte[] sealed = shop.secrets().seal(entry.getValue(), RoleWorkflows.sealContext(entry.getKey()));
                RoleRows.put(catalog, branch.id(), role, sealed, branch.createdAt());
            }
        }
    }
}
