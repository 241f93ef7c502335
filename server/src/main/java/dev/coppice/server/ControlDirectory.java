package dev.coppice.server;

import dev.coppice.common.SqlState;
import dev.coppice.control.Routing;
import dev.coppice.control.RoutingException;
import dev.coppice.proxy.route.EndpointDirectory;
import dev.coppice.proxy.route.RoutedEndpoint;
import dev.coppice.proxy.route.WakeException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** The control plane's {@link Routing} as the proxy wants to see it. */
final class ControlDirectory implements EndpointDirectory {
    private final Routing routing;

    ControlDirectory(Routing routing) {
        this.routing = routing;
    }

    @Override
    public Optional<RoutedEndpoint> byEndpointId(String endpointId) {
        return routing.byEndpointId(endpointId).map(ControlDirectory::endpoint);
    }

    @Override
    public List<RoutedEndpoint> byBranchName(String branchName) {
        return routing.byBranchName(branchName).stream()
                .map(ControlDirectory::endpoint)
                .toList();
    }

    @Override
    public List<RoutedEndpoint> defaults() {
        return routing.defaults().stream().map(ControlDirectory::endpoint).toList();
    }

    @Override
    public CompletionStage<Optional<String>> verifier(String endpointId, String role) {
        return routing.verifier(endpointId, role);
    }

    @Override
    public CompletionStage<Path> wake(String endpointId) {
        return routing.wake(endpointId).exceptionallyCompose(failure -> {
            Throwable cause =
                    failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
            return CompletableFuture.failedFuture(
                    cause instanceof RoutingException refused ? wakeException(refused) : cause);
        });
    }

    private static WakeException wakeException(RoutingException refused) {
        return new WakeException(
                state(refused.sqlState()), Objects.requireNonNullElse(refused.getMessage(), ""), refused.hint());
    }

    private static SqlState state(String code) {
        for (SqlState state : SqlState.values()) {
            if (state.code().equals(code)) {
                return state;
            }
        }
        return SqlState.INTERNAL_ERROR;
    }

    private static RoutedEndpoint endpoint(Routing.Route route) {
        return new RoutedEndpoint(route.endpointId(), route.branchName(), route.projectId());
    }
}
