package dev.coppice.control.sql;

import dev.coppice.control.catalog.model.LoginRole;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The roles and databases of a running compute.
 *
 * @param roles by name, Postgres's own and Coppice's left out
 * @param databases owner by name, oldest first, templates and Coppice's own left out
 */
public record LiveState(Map<String, LoginRole> roles, Map<String, String> databases) {
    public LiveState {
        roles = Map.copyOf(roles);
        databases = Collections.unmodifiableMap(new LinkedHashMap<>(databases));
    }
}
