package dev.coppice.proxy.route;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.PgErrorException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Turns hints into a route. Each hint stands for the set of endpoints it may mean; together they mean the
 * intersection. What a stranger can learn from the errors is no more than whether names that he put together belong
 * together: one unknown name alone is {@link Route.Unknown}.
 */
public final class Router {
    private static final String HOW_TO_NAME_ONE =
            "Name one endpoint: options=endpoint=<endpoint id> (in a URI: ?options=endpoint%3D<id>), or"
                    + " <database>@<branch> as the database name.";

    private final EndpointDirectory directory;

    public Router(EndpointDirectory directory) {
        this.directory = directory;
    }

    /** @throws PgErrorException when the hints contradict each other, mean several endpoints, or are missing */
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
        Set<RoutedEndpoint> meant = new LinkedHashSet<>(candidates(hints.getFirst()));
        hints.stream().skip(1).forEach(hint -> meant.retainAll(candidates(hint)));
        if (meant.size() == 1) {
            return new Route.Known(meant.iterator().next());
        }
        if (meant.size() > 1) {
            throw new PgErrorException(PgError.of(
                    SqlState.CONNECTION_REJECTED,
                    "several projects have a branch named \"" + hints.getLast().name() + "\"",
                    HOW_TO_NAME_ONE));
        }
        Optional<RouteHint> other = hints.stream()
                .filter(hint -> !hint.name().equals(hints.getFirst().name()))
                .findFirst();
        if (other.isPresent()) {
            throw new PgErrorException(PgError.of(
                    SqlState.PROTOCOL_VIOLATION,
                    "contradictory destinations: " + hints.getFirst() + ", " + other.get(),
                    "Name the endpoint or branch in one place only."));
        }
        return new Route.Unknown(hints.getFirst().name());
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
        Set<RoutedEndpoint> found = directory.byEndpointId(hint.name()).stream().collect(Collectors.toSet());
        if (found.isEmpty() && hint.source() != RouteHint.Source.OPTIONS) {
            return Set.copyOf(directory.byBranchName(hint.name()));
        }
        return found;
    }
}
