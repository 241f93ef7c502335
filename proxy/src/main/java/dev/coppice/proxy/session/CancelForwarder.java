package dev.coppice.proxy.session;

import dev.coppice.proxy.cancel.CancelTarget;
import dev.coppice.proxy.pgwire.CancelKey;
import dev.coppice.proxy.relay.CancelSender;
import io.netty.channel.Channel;
import java.util.Optional;

/**
 * Passes a CancelRequest on to the compute of its session. The client's connection is closed, unanswered, when the
 * compute has closed ours: clients take that as "the signal has been sent".
 */
final class CancelForwarder {
    private CancelForwarder() {}

    static void forward(Channel client, ClientConnection connection, CancelKey key) {
        Optional<CancelTarget> target = connection.services.cancelKeys().find(key);
        if (target.isEmpty()) {
            connection.services.metrics().cancelsUnknown.mark();
            connection.drop(Outcome.CANCEL, "cancel request for no open session");
            return;
        }
        connection.services.metrics().cancelsForwarded.mark();
        connection.ending(Outcome.CANCEL, "cancel request forwarded");
        switch (target.get()) {
            case CancelTarget.Backend backend -> {
                Channel compute = CancelSender.send(
                        connection.services.compute().connector(), client.eventLoop(), backend, _ -> client.close());
                client.closeFuture().addListener(_ -> compute.close());
            }
            case CancelTarget.PooledClient(var cancel) -> cancel.accept(client::close);
        }
    }
}
