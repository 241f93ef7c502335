package dev.coppice.proxy.pool;

import java.util.Map;

/**
 * Who may share server connections of an endpoint: clients whose startup packets say the same, so that a connection is to
 * each exactly what its own would be, and RESET leads back to the same state.
 *
 * @param parameters of the compute's startup packet, user and database among them
 */
record PoolKey(Map<String, String> parameters) {
    PoolKey {
        parameters = Map.copyOf(parameters);
    }

    String user() {
        return parameters.getOrDefault("user", "");
    }

    String database() {
        return parameters.getOrDefault("database", parameters.getOrDefault("user", ""));
    }
}
