package dev.coppice.control.api.view;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/**
 * Connection strings that people and programs use as they are. They name the endpoint in {@code options}: that survives
 * psql's {@code \c}, which replaces the database name, and needs no name that plain glibc does not resolve.
 */
public record ConnectionStrings(String host, int port) {
    public String of(String role, String password, String database, String endpointId) {
        return "postgresql://" + encode(role) + ':' + encode(password) + '@' + host + ':' + port + '/'
                + encode(database) + "?options=endpoint%3D" + endpointId;
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
