package dev.coppice.proxy.route;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.PgErrorException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Turns hints into a route. Each hint stands for the set of endpoints it may mean; together they mean the
 * intersection. The errors say what the hints alone say, so strangers learn nothing from them: what does not lead to exactly one
 * endpoint is {@link Route.Unknown}.
 */
public final class Router {
    private static final String HOW_TO_NAME_ONE =
            "Name one endpoint: options=endpoint=<endpoint id> (in a URI: ?options=endpoint%3D<id>), or"
                    + " <database>@<branch> as the database name, or over TLS endpoint=<endpoint id>; before the password.";

    private final EndpointDirectory directory;

    public Router(EndpointDirectory directory) {
        this.directory = directory;
    }

    /** @throws PgErrorException when the hints name two endpoints, or are missing */
    public Route route(RouteRequest request) {
        Route route = present(request);
        return route instanceof Route.Known(var endpoint) && request.moment().isPresent()
                ? new Route.Known(directory.at(endpoint, request.moment().get()))
                : route;
    }

    private Route present(RouteRequest request) {
        List<RouteHint> hints = request.hints();
        if (hints.isEmpty()) {
            return defaultRoute();
        }
        requireOneEndpoint(hints);
        Set<RoutedEndpoint> meant = new LinkedHashSet<>(candidates(hints.getFirst()));
        hints.stream().skip(1).forEach(hint -> meant.retainAll(candidates(hint)));
        if (meant.size() == 1) {
            return new Route.Known(meant.iterator().next());
        }
        // Whether there is no such name, or several, or they do not belong together, is nothing that strangers are
        // told.
        return new Route.Unknown(hints.getFirst().name());
    }

    /** Two endpoints are a contradiction whether they exist or not. */
    private static void requireOneEndpoint(List<RouteHint> hints) {
        List<RouteHint> endpoints =
                hints.stream().filter(RouteHint::namesEndpoint).toList();
        endpoints.stream()
                .filter(hint -> !hint.endpointName().equals(endpoints.getFirst().endpointName()))
                .findFirst()
                .ifPresent(other -> {
                    throw new PgErrorException(PgError.of(
                            SqlState.PROTOCOL_VIOLATION,
                            "contradictory destinations: " + endpoints.getFirst() + ", " + other,
                            "Name the endpoint in one place only."));
                });
    }

    private Route defaultRoute() {
        List<RoutedEndpoint> defaults = directory.defaults();
        if (defaults.size() == 1) {
            return new Route.Known(defaults.getFirst());
        }
        throw new PgErrorException(
                defaults.isEmpty()
                        ? PgError.of(
                                SqlState.CONNECTION_REJECTED,
                                "there is no project to connect to",
                                "Create one: coppice project create <name>.")
                        : PgError.of(
                                SqlState.CONNECTION_REJECTED,
                                "the connection does not say which endpoint it wants, and there are several projects",
                                HOW_TO_NAME_ONE));
    }

    private Set<RoutedEndpoint> candidates(RouteHint hint) {
        Set<RoutedEndpoint> found =
                directory.byEndpointId(hint.endpointName()).stream().collect(Collectors.toSet());
        if (found.isEmpty()
                && hint.source() != RouteHint.Source.OPTIONS
                && hint.source() != RouteHint.Source.PASSWORD) {
            return Set.copyOf(directory.byBranchName(hint.name()));
        }
        return found;
    }
}
