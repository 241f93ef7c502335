package dev.coppice.proxy.relay;

import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.ServerMessages;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.EventExecutor;
import java.util.function.Consumer;

/**
 * A session that has begun: whatever one side sends goes to the other. Confined to the event loop of both channels.
 *
 * <p>Back-pressure: a channel is read only while the other one's write buffer is below its high-water mark, so a
 * session holds at most that and one read in each direction.
 *
 * <p>When the compute vanishes, the client is told only if that cannot land inside a message: if the last thing the
 * compute sent was a ReadyForQuery. Knowing that takes a look at six bytes per read instead of a parser.
 */
public final class Relay implements LiveSession {
    private final Channel client;
    private final Channel compute;
    private final Consumer<SessionEnd> onEnd;
    private boolean ended;
    private boolean computeIsAtReady = true;
    private boolean computeIsIdle = true;
    private boolean clientIsAsking;
    private boolean clientHasTerminated;
    private boolean draining;
    private long bytesFromClient;
    private long bytesFromCompute;

    private Relay(Channel client, Channel compute, Consumer<SessionEnd> onEnd) {
        this.client = client;
        this.compute = compute;
        this.onEnd = onEnd;
    }

    /**
     * Appends the relaying handlers to both pipelines. To be called on their event loop, when the compute's
     * ReadyForQuery has been sent to the client.
     *
     * @param onEnd called once, when the first side has gone
     */
    public static Relay start(Channel client, Channel compute, Consumer<SessionEnd> onEnd) {
        Relay relay = new Relay(client, compute, onEnd);
        client.pipeline().addLast(relay.new Side(compute, SessionEnd.CLIENT));
        compute.pipeline().addLast(relay.new Side(client, SessionEnd.COMPUTE));
        client.config().setAutoRead(compute.isWritable());
        compute.config().setAutoRead(client.isWritable());
        return relay;
    }

    @Override
    public void shutDown() {
        onLoop(() -> end(SessionEnd.SHUTDOWN));
    }

    @Override
    public void drain() {
        onLoop(() -> {
            draining = true;
            endIfDrained();
        });
    }

    private void onLoop(Runnable task) {
        EventExecutor loop = client.eventLoop();
        if (loop.inEventLoop()) {
            task.run();
        } else {
            loop.execute(task);
        }
    }

    /** A replication connection never gets there: it is ended at the deadline of the drain. */
    private void endIfDrained() {
        if (draining && computeIsIdle && !clientIsAsking) {
            end(SessionEnd.SHUTDOWN);
        }
    }

    @Override
    public long bytesFromClient() {
        return bytesFromClient;
    }

    @Override
    public long bytesFromCompute() {
        return bytesFromCompute;
    }

    private void end(SessionEnd who) {
        if (ended) {
            return;
        }
        ended = true;
        // Once the client has said goodbye, a compute closes the connection faster than the client does.
        SessionEnd initiator = clientHasTerminated ? SessionEnd.CLIENT : who;
        onEnd.accept(initiator);
        initiator.farewell().ifPresent(this::farewell);
        closeAfterFlush(client);
        closeAfterFlush(compute);
    }

    private void farewell(PgError error) {
        if (computeIsAtReady && client.isActive()) {
            client.write(ServerMessages.error(client.alloc(), error), client.voidPromise());
        }
    }

    private static void closeAfterFlush(Channel channel) {
        if (channel.isActive()) {
            channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        }
    }

    /** Moves what {@code who} sends to the {@code peer}. */
    private final class Side extends ChannelInboundHandlerAdapter {
        private final Channel peer;
        private final SessionEnd who;

        Side(Channel peer, SessionEnd who) {
            this.peer = peer;
            this.who = who;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            if (ended) {
                bytes.release();
                return;
            }
            if (who == SessionEnd.COMPUTE) {
                bytesFromCompute += bytes.readableBytes();
                computeIsAtReady = MessageTail.isReadyForQuery(bytes);
                computeIsIdle = computeIsAtReady && MessageTail.isIdle(bytes);
                clientIsAsking = false;
            } else {
                bytesFromClient += bytes.readableBytes();
                clientHasTerminated = MessageTail.isTerminate(bytes);
                clientIsAsking = true;
            }
            peer.write(bytes, peer.voidPromise());
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            peer.flush();
            endIfDrained();
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            peer.config().setAutoRead(ctx.channel().isWritable());
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            end(who);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            // A reset connection, mostly; the other side learns it by the close.
            ctx.close();
        }
    }
}
