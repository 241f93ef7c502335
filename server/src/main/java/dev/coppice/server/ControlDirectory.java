package dev.coppice.server;

import dev.coppice.common.SqlState;
import dev.coppice.control.Routing;
import dev.coppice.control.RoutingException;
import dev.coppice.control.branch.BranchPointRequest;
import dev.coppice.proxy.limit.AddressRanges;
import dev.coppice.proxy.route.EndpointDirectory;
import dev.coppice.proxy.route.Moment;
import dev.coppice.proxy.route.RoutedEndpoint;
import dev.coppice.proxy.route.WakeException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** The control plane's {@link Routing} as the proxy wants to see it. */
final class ControlDirectory implements EndpointDirectory {
    /** Not in any endpoint id. */
    private static final char AT = '@';

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

    /** The id of a moment is {@code <endpoint id>@<moment>}. */
    @Override
    public RoutedEndpoint at(RoutedEndpoint endpoint, Moment moment) {
        return new RoutedEndpoint(endpoint.endpointId() + AT + moment, endpoint.branchName(), endpoint.projectId());
    }

    @Override
    public CompletionStage<Optional<String>> verifier(String endpointId, String role) {
        int at = endpointId.indexOf(AT);
        return routing.verifier(at < 0 ? endpointId : endpointId.substring(0, at), role);
    }

    @Override
    public boolean allows(String endpointId, InetAddress client) {
        int at = endpointId.indexOf(AT);
        // They were checked when they were set.
        return AddressRanges.parse(routing.allowedAddresses(at < 0 ? endpointId : endpointId.substring(0, at)))
                .allows(client);
    }

    @Override
    public CompletionStage<Path> wake(String endpointId) {
        int at = endpointId.indexOf(AT);
        CompletionStage<Path> waking = at < 0
                ? routing.wake(endpointId)
                : routing.wakeAt(endpointId.substring(0, at), moment(endpointId.substring(at + 1)));
        return waking.exceptionallyCompose(failure -> {
            Throwable cause =
                    failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
            return CompletableFuture.failedFuture(
                    cause instanceof RoutingException refused ? wakeException(refused) : cause);
        });
    }

    private static BranchPointRequest moment(String text) {
        return switch (Moment.parse(text).orElseThrow()) {
            case Moment.AtLsn(var lsn) -> new BranchPointRequest.AtLsn(lsn);
            case Moment.AtTime(var time) -> new BranchPointRequest.AtTime(time);
        };
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
