package dev.coppice.proxy.relay;

import dev.coppice.common.LogText;
import dev.coppice.proxy.route.ComputeSocket;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.unix.PeerCredentials;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.attribute.UserPrincipal;
import jdk.net.ExtendedSocketOptions;
import jdk.net.UnixDomainPrincipal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * First in the pipeline of a connection to a compute: asks the kernel who listens, and closes, as if nobody did, when it is not the
 * compute. The handlers behind hear nothing before that, so no byte is sent.
 */
final class PeerCheck extends ChannelInboundHandlerAdapter {
    private static final Logger log = LoggerFactory.getLogger(PeerCheck.class);

    private final ComputeSocket expected;

    PeerCheck(ComputeSocket expected) {
        this.expected = expected;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        String found;
        try {
            found = problem(ctx.channel());
        } catch (IOException | UnsupportedOperationException e) {
            found = "it cannot be found out: " + e;
        }
        if (found.isEmpty()) {
            ctx.fireChannelActive();
            ctx.pipeline().remove(this);
        } else {
            log.warn(
                    "the socket {} is not that of its compute, process {} of user {}: {}",
                    LogText.field(expected.path().toString()),
                    expected.pid(),
                    expected.uid(),
                    LogText.quoted(found));
            ctx.close();
        }
    }

    /** Who listens there instead; empty when all is well. */
    private String problem(Channel channel) throws IOException {
        if (channel instanceof EpollDomainSocketChannel unix) {
            PeerCredentials peer = unix.peerCredentials();
            return peer.uid() == expected.uid() && peer.pid() == expected.pid()
                    ? ""
                    : "process " + peer.pid() + " of user " + peer.uid() + " listens there";
        }
        // The JDK's own sockets do not tell the process.
        UnixDomainPrincipal peer = channel.config().getOption(NioChannelOption.of(ExtendedSocketOptions.SO_PEERCRED));
        UserPrincipal owner = FileSystems.getDefault()
                .getUserPrincipalLookupService()
                .lookupPrincipalByName(Integer.toString(expected.uid()));
        return peer != null && owner.equals(peer.user()) ? "" : "user " + peer + " listens there";
    }
}
