package dev.coppice.proxy.session;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.haproxy.HAProxyCommand;
import io.netty.handler.codec.haproxy.HAProxyMessage;
import io.netty.handler.codec.haproxy.HAProxyProxiedProtocol;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;

/** Takes the client's address out of a PROXY protocol header. */
final class ProxyHeaderHandler extends SimpleChannelInboundHandler<HAProxyMessage> {
    private final ClientConnection connection;

    ProxyHeaderHandler(ClientConnection connection) {
        this.connection = connection;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, HAProxyMessage header) throws UnknownHostException {
        if (connection.isFrom(source(ctx, header))) {
            ctx.pipeline().remove(this);
        }
    }

    /** The load balancer's own, where it speaks for itself: its health checks, and clients whose address it does not know. */
    private static SocketAddress source(ChannelHandlerContext ctx, HAProxyMessage header) throws UnknownHostException {
        boolean internet = header.proxiedProtocol() == HAProxyProxiedProtocol.TCP4
                || header.proxiedProtocol() == HAProxyProxiedProtocol.TCP6;
        if (header.command() == HAProxyCommand.LOCAL || !internet) {
            return ctx.channel().remoteAddress();
        }
        byte[] address = NetUtil.createByteArrayFromIpAddressString(header.sourceAddress());
        return new InetSocketAddress(InetAddress.getByAddress(address), header.sourcePort());
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        connection.drop(Outcome.PROTOCOL, "malformed PROXY protocol header: " + cause.getMessage());
    }
}
