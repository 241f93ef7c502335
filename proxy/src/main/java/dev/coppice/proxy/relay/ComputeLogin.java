package dev.coppice.proxy.relay;

import dev.coppice.proxy.auth.ScramClient;
import dev.coppice.proxy.auth.ScramException;
import dev.coppice.proxy.auth.ScramServer;
import dev.coppice.proxy.pgwire.CancelKey;
import dev.coppice.proxy.pgwire.ClientMessages;
import dev.coppice.proxy.pgwire.ComputeMessage;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.Promise;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Logs in to a compute: StartupMessage, SCRAM-SHA-256, then everything up to ReadyForQuery. Sits behind a
 * {@link dev.coppice.proxy.pgwire.ComputeDecoder}; the promise is completed on the event loop, inside the read, so
 * its listener can exchange the handlers before another byte is looked at.
 */
public final class ComputeLogin extends ChannelInboundHandlerAdapter {
    /** More parameters and notices than this are no login, in bytes. */
    static final int MAX_PASSED_BYTES = 1 << 20;

    private final Map<String, String> parameters;
    private final ScramClient scram;
    private final Promise<ComputeGreeting> result;
    private Optional<CancelKey> cancelKey = Optional.empty();
    private boolean computeVerified;
    private @Nullable ByteBuf passed;

    /** @param result succeeds with a greeting to release, or fails with {@link ComputeLoginException} */
    public ComputeLogin(Map<String, String> parameters, ScramClient scram, Promise<ComputeGreeting> result) {
        this.parameters = parameters;
        this.scram = scram;
        this.result = result;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        ctx.writeAndFlush(ClientMessages.startup(ctx.alloc(), parameters));
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        try {
            read(ctx, (ComputeMessage) message);
        } catch (ScramException e) {
            fail(new ComputeLoginException.Broken(e.getMessage() == null ? "SCRAM failed" : e.getMessage()));
        }
    }

    private void read(ChannelHandlerContext ctx, ComputeMessage message) throws ScramException {
        switch (message) {
            case ComputeMessage.SaslMechanisms(var mechanisms) -> {
                if (mechanisms.contains(ScramServer.MECHANISM)) {
                    ctx.writeAndFlush(
                            ClientMessages.saslInitialResponse(ctx.alloc(), ScramServer.MECHANISM, scram.first()));
                } else {
                    fail(new ComputeLoginException.Broken("offers no SCRAM-SHA-256 but " + mechanisms));
                }
            }
            case ComputeMessage.SaslContinue(String data) ->
                ctx.writeAndFlush(ClientMessages.saslResponse(ctx.alloc(), scram.last(data)));
            case ComputeMessage.SaslFinal(String data) -> {
                scram.verify(data);
                computeVerified = true;
            }
            case ComputeMessage.AuthenticationOk() -> {
                if (!computeVerified) {
                    fail(new ComputeLoginException.Broken("let us in without SCRAM"));
                }
            }
            case ComputeMessage.UnsupportedAuthentication(int code) ->
                fail(new ComputeLoginException.Broken("asks for authentication method " + code));
            case ComputeMessage.BackendKeyData(CancelKey key) -> cancelKey = Optional.of(key);
            case ComputeMessage.ReadyForQuery(byte status) -> succeed(ctx, status);
            case ComputeMessage.Passed(ByteBuf frame) -> pass(ctx, frame);
            case ComputeMessage.Refused(String sqlState, ByteBuf frame) -> {
                try {
                    fail(new ComputeLoginException.Refused(sqlState, ByteBufUtil.getBytes(frame)));
                } finally {
                    frame.release();
                }
            }
            case ComputeMessage.Malformed(String problem) -> fail(new ComputeLoginException.Broken(problem));
        }
    }

    private void pass(ChannelHandlerContext ctx, ByteBuf frame) {
        try {
            ByteBuf kept = passed == null ? ctx.alloc().buffer() : passed;
            passed = kept;
            if (kept.readableBytes() + frame.readableBytes() > MAX_PASSED_BYTES) {
                fail(new ComputeLoginException.Broken("sends more than " + MAX_PASSED_BYTES + " bytes at login"));
            } else {
                kept.writeBytes(frame);
            }
        } finally {
            frame.release();
        }
    }

    private void succeed(ChannelHandlerContext ctx, byte status) {
        if (!computeVerified) {
            fail(new ComputeLoginException.Broken("let us in without SCRAM"));
            return;
        }
        ByteBuf kept = passed == null ? ctx.alloc().buffer(0) : passed;
        passed = null;
        if (!result.trySuccess(new ComputeGreeting(kept, cancelKey, status))) {
            kept.release();
        }
    }

    private void fail(ComputeLoginException problem) {
        result.tryFailure(problem);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        fail(new ComputeLoginException.Broken("closed the connection"));
        ctx.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        fail(new ComputeLoginException.Broken(cause.toString()));
        ctx.close();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        if (passed != null) {
            passed.release();
            passed = null;
        }
    }
}
