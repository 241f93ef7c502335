package dev.coppice.proxy.http.request;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URLDecoder;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A Postgres URI: {@code postgresql://user:password@host:port/database?options=...}. User, password, database and the
 * values of parameters may be percent-encoded.
 *
 * @param host without the port, which means nothing here
 * @param parameters a startup packet's: user, database, and of the query part {@code options} and {@code
 *     application_name}; everything else concerns clients
 */
public record ConnectionString(String host, String password, Map<String, String> parameters) {
    private static final String OPTIONS = "options";
    private static final String APPLICATION_NAME = "application_name";

    /** @throws BadRequestException when it is none, or has no user or no password */
    public static ConnectionString parse(String text) {
        int scheme = text.indexOf("://");
        String name = scheme < 0 ? "" : text.substring(0, scheme);
        if (!name.equals("postgresql") && !name.equals("postgres")) {
            throw new BadRequestException("the connection string does not begin with postgresql://");
        }
        String rest = cut(text.substring(scheme + "://".length()), '#').before;
        Parts beforeQuery = cut(rest, '?');
        Parts beforePath = cut(beforeQuery.before, '/');
        int at = beforePath.before.lastIndexOf('@');
        Parts login = cut(at < 0 ? "" : beforePath.before.substring(0, at), ':');
        String user = decoded(login.before);
        if (user.isEmpty()) {
            throw new BadRequestException("the connection string names no role");
        }
        if (login.after.isEmpty()) {
            throw new BadRequestException("the connection string has no password");
        }
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("user", user);
        String database = decoded(beforePath.after);
        if (!database.isEmpty()) {
            parameters.put("database", database);
        }
        for (String each : beforeQuery.after.split("&", -1)) {
            Parts parameter = cut(each, '=');
            String key = decoded(parameter.before);
            if (key.equals(OPTIONS) || key.equals(APPLICATION_NAME)) {
                // As a browser's URL writes it: a plus stands for a space.
                parameters.put(key, decoded(parameter.after.replace("+", "%20")));
            }
        }
        parameters.values().forEach(ConnectionString::requireNoZero);
        return new ConnectionString(host(beforePath.before.substring(at + 1)), decoded(login.after), parameters);
    }

    private record Parts(String before, String after) {}

    private static Parts cut(String text, char separator) {
        int at = text.indexOf(separator);
        return at < 0 ? new Parts(text, "") : new Parts(text.substring(0, at), text.substring(at + 1));
    }

    private static String host(String authority) {
        int colon = authority.lastIndexOf(':');
        boolean port = colon >= 0 && authority.indexOf(']', colon) < 0;
        return port ? authority.substring(0, colon) : authority;
    }

    private static String decoded(String text) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), UTF_8);
        } catch (IllegalArgumentException _) {
            throw new BadRequestException("the connection string has a broken percent-encoding");
        }
    }

    /** It would end the parameter in the startup packet. */
    private static void requireNoZero(String value) {
        if (value.indexOf('\0') >= 0) {
            throw new BadRequestException("the connection string has a zero byte in it");
        }
    }

    /** Without the password. */
    @Override
    public String toString() {
        return "ConnectionString[" + host + ", " + parameters + "]";
    }
}
