package dev.coppice.proxy.route;

import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * What the proxy must be able to find out and to have done. Called on event loops: nothing here may block. The
 * look-ups answer from memory; the stages may complete on any thread.
 */
public interface EndpointDirectory {

    /** The endpoint with this id. */
    Optional<RoutedEndpoint> byEndpointId(String endpointId);

    /** The endpoints of all branches of this name; several projects may each have one. */
    List<RoutedEndpoint> byBranchName(String branchName);

    /** The endpoints of the default branches of all projects. */
    List<RoutedEndpoint> defaults();

    /**
     * A past moment of an endpoint's branch, as an endpoint of its own: {@link #verifier} asks the branch as it is now, {@link
     * #wake} starts a read-only compute of that moment. Whether the branch has such a moment turns out at the wake.
     */
    RoutedEndpoint at(RoutedEndpoint endpoint, Moment moment);

    /**
     * Where a role is let in that asked for this endpoint and has proved its password: the endpoint itself, or a masked view of
     * its branch as an endpoint of its own. Asked for every login, and as late as can be. Connections to the answer are shared
     * only with those who got the same one.
     */
    default RoutedEndpoint seenBy(RoutedEndpoint endpoint, String role) {
        return endpoint;
    }

    /**
     * The SCRAM verifier of a role as pg_authid has it, {@code SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey};
     * empty when the role or the endpoint is unknown, or the role may not log in; then the answer must not come sooner or later
     * than another. Must not start the endpoint's compute.
     */
    CompletionStage<Optional<String>> verifier(String endpointId, String role);

    /** Whether a client at this address, who has proved a password, may connect to the endpoint. */
    default boolean allows(String endpointId, InetAddress client) {
        return true;
    }

    /** Whether the endpoint's compute runs now, as far as is known. */
    default boolean runs(String endpointId) {
        return false;
    }

    /**
     * Starts the endpoint's compute if it is not running; concurrent calls share one start. The stage carries the
     * compute's Unix socket, or fails with {@link WakeException}.
     */
    CompletionStage<ComputeSocket> wake(String endpointId);
}
