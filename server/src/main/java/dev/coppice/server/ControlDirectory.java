package dev.coppice.server;

import dev.coppice.common.SqlState;
import dev.coppice.compute.ComputeAddress;
import dev.coppice.control.Routing;
import dev.coppice.control.RoutingException;
import dev.coppice.control.timeline.BranchPointRequest;
import dev.coppice.proxy.limit.AddressRanges;
import dev.coppice.proxy.route.ComputeSocket;
import dev.coppice.proxy.route.EndpointDirectory;
import dev.coppice.proxy.route.Moment;
import dev.coppice.proxy.route.RoutedEndpoint;
import dev.coppice.proxy.route.WakeException;
import java.net.InetAddress;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** The control plane's {@link Routing} as the proxy wants to see it. */
final class ControlDirectory implements EndpointDirectory {
    /** Before a moment; not in any endpoint id. */
    private static final char AT = '@';

    /** Before what concerns a masked role; not in any endpoint id or moment. */
    private static final char MASKED = '~';

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

    /** The id of a masked view is {@code <endpoint id or moment>~<mark of the view>~<role>}. */
    @Override
    public RoutedEndpoint seenBy(RoutedEndpoint endpoint, String role) {
        return routing.masked(plain(endpoint.endpointId()), role)
                .map(mark -> new RoutedEndpoint(
                        endpoint.endpointId() + MASKED + mark + MASKED + role,
                        endpoint.branchName(),
                        endpoint.projectId()))
                .orElse(endpoint);
    }

    /** The id of the branch's endpoint, without what we added. */
    private static String plain(String id) {
        String unmasked = beforeMask(id);
        int at = unmasked.indexOf(AT);
        return at < 0 ? unmasked : unmasked.substring(0, at);
    }

    private static String beforeMask(String id) {
        int masked = id.indexOf(MASKED);
        return masked < 0 ? id : id.substring(0, masked);
    }

    @Override
    public CompletionStage<Optional<String>> verifier(String endpointId, String role) {
        return routing.verifier(plain(endpointId), role);
    }

    @Override
    public boolean allows(String endpointId, InetAddress client) {
        // They were checked when they were set.
        return AddressRanges.parse(routing.allowedAddresses(plain(endpointId))).allows(client);
    }

    /** Of moments and masked views it is not known. */
    @Override
    public boolean runs(String endpointId) {
        return routing.runs(endpointId);
    }

    @Override
    public CompletionStage<ComputeSocket> wake(String endpointId) {
        return waking(endpointId).thenApply(ControlDirectory::socket).exceptionallyCompose(failure -> {
            Throwable cause =
                    failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
            return CompletableFuture.failedFuture(
                    cause instanceof RoutingException refused ? wakeException(refused) : cause);
        });
    }

    private static ComputeSocket socket(ComputeAddress address) {
        return new ComputeSocket(
                address.socket(), address.peer().uid(), address.peer().pid());
    }

    private CompletionStage<ComputeAddress> waking(String endpointId) {
        String unmasked = beforeMask(endpointId);
        int at = unmasked.indexOf(AT);
        if (unmasked.length() < endpointId.length()) {
            String role = endpointId.substring(endpointId.indexOf(MASKED, unmasked.length() + 1) + 1);
            return at < 0
                    ? routing.wakeMasked(unmasked, role)
                    : CompletableFuture.failedFuture(routing.noPastFor(role));
        }
        return at < 0
                ? routing.wake(endpointId)
                : routing.wakeAt(endpointId.substring(0, at), moment(endpointId.substring(at + 1)));
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
