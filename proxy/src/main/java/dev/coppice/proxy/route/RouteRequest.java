package dev.coppice.proxy.route;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.PgErrorException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What a startup packet and the TLS server name say, taken apart: hints for us, parameters for the compute.
 *
 * <p>Hints are {@code options=endpoint=<id>}, the first label of the server name, and {@code dbname@branch}. The
 * last {@code @} of the database name separates; a name ending in {@code @} is a name with an {@code @} in it and no
 * branch, and a database named exactly like its user (psql's default, and user names may be mail addresses) is never
 * taken apart. A past moment is {@code options=neon_lsn:<lsn>} or {@code neon_timestamp:<time>}, or the last part of {@code
 * dbname@branch@moment} or {@code dbname@moment}.
 *
 * @param user the role
 * @param hints in the order options, server name, database name
 * @param moment the past moment to look at; empty = now
 * @param computeParameters what the compute's startup packet shall contain
 */
public record RouteRequest(
        String user, List<RouteHint> hints, Optional<Moment> moment, Map<String, String> computeParameters) {
    /** A label with this prefix is an endpoint id under whatever domain it comes. */
    static final String ENDPOINT_PREFIX = "ep-";

    private static final String USER = "user";
    private static final String DATABASE = "database";
    private static final String OPTIONS = "options";
    private static final String PROTOCOL_OPTION_PREFIX = "_pq_.";

    /**
     * @param parameters of the startup packet
     * @param serverName what the client put into its TLS handshake
     * @param domains the domains whose first label names an endpoint or a branch, in lower case
     * @throws PgErrorException when there is no user, or an endpoint without a name
     */
    public static RouteRequest parse(
            Map<String, String> parameters, Optional<String> serverName, List<String> domains) {
        String user = parameters.getOrDefault(USER, "");
        if (user.isEmpty()) {
            throw new PgErrorException(PgError.of(
                    SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
                    "no PostgreSQL user name specified in startup packet",
                    "Name a role, as in postgresql://coppice_owner@host/coppice."));
        }
        List<RouteHint> hints = new ArrayList<>();
        Map<String, String> forCompute = new LinkedHashMap<>(parameters);
        forCompute.keySet().removeIf(name -> name.startsWith(PROTOCOL_OPTION_PREFIX));

        StartupOptions options = StartupOptions.parse(parameters.getOrDefault(OPTIONS, ""));
        for (String endpoint : options.endpoints()) {
            if (endpoint.isEmpty()) {
                throw new PgErrorException(PgError.of(
                        SqlState.PROTOCOL_VIOLATION,
                        "the endpoint in options has no name",
                        "Write options=endpoint=<endpoint id>, percent-encoded in a URI: options=endpoint%3D<id>."));
            }
            hints.add(new RouteHint(RouteHint.Source.OPTIONS, endpoint));
        }
        Moments moments = new Moments();
        moments.options(options.neon());
        if (!options.endpoints().isEmpty() || !options.neon().isEmpty()) {
            replaceOrRemove(forCompute, OPTIONS, options.forCompute());
        }
        serverName
                .flatMap(name -> label(name, domains))
                .ifPresent(label -> hints.add(new RouteHint(RouteHint.Source.SERVER_NAME, label)));

        String given = parameters.getOrDefault(DATABASE, "");
        boolean whole = given.equals(user);
        String database = whole ? given : moments.cut(given);
        replaceOrRemove(forCompute, DATABASE, database);
        int at = database.lastIndexOf('@');
        if (at >= 0 && !whole) {
            String branch = database.substring(at + 1);
            if (!branch.isEmpty()) {
                hints.add(new RouteHint(RouteHint.Source.DATABASE, branch));
            }
            replaceOrRemove(forCompute, DATABASE, database.substring(0, at));
        }
        return new RouteRequest(user, List.copyOf(hints), moments.agreed(), forCompute);
    }

    /** The names of the protocol options asked for; we know none. */
    public static List<String> protocolOptions(Map<String, String> parameters) {
        return parameters.keySet().stream()
                .filter(name -> name.startsWith(PROTOCOL_OPTION_PREFIX))
                .toList();
    }

    /** The same, with the endpoint that the password named. */
    public RouteRequest withEndpoint(String endpointId) {
        List<RouteHint> more = new ArrayList<>(hints);
        more.add(new RouteHint(RouteHint.Source.PASSWORD, endpointId));
        return new RouteRequest(user, List.copyOf(more), moment, computeParameters);
    }

    /** Whether a hint names an endpoint's pool; a past moment has none. */
    public boolean pooled() {
        return moment.isEmpty() && hints.stream().anyMatch(RouteHint::pooled);
    }

    /** Whether it is a replication connection, which no pool can serve. */
    public boolean replication() {
        String value = computeParameters.getOrDefault("replication", "").toLowerCase(Locale.ROOT);
        return !List.of("", "0", "false", "off", "no", "f", "n").contains(value);
    }

    /** The database the compute will be asked for; without one, Postgres takes the user's name. */
    public String database() {
        return computeParameters.getOrDefault(DATABASE, user);
    }

    private static Optional<String> label(String serverName, List<String> domains) {
        String name = serverName.toLowerCase(Locale.ROOT);
        int dot = name.indexOf('.');
        if (dot <= 0) {
            return Optional.empty();
        }
        String label = name.substring(0, dot);
        boolean ours = label.startsWith(ENDPOINT_PREFIX) || domains.contains(name.substring(dot + 1));
        return ours ? Optional.of(label) : Optional.empty();
    }

    private static void replaceOrRemove(Map<String, String> parameters, String name, String value) {
        if (value.isEmpty()) {
            parameters.remove(name);
        } else {
            parameters.put(name, value);
        }
    }
}
