package dev.coppice.proxy.http;

import io.netty.channel.ChannelHandlerContext;
import io.netty.util.ReferenceCountUtil;
import org.jspecify.annotations.Nullable;

/**
 * The messages of one connection, asked for one at a time: what comes before its turn is kept, and nothing behind it is asked for.
 * Confined to the connection's event loop.
 */
final class Intake {
    private final ChannelHandlerContext ctx;
    private boolean wanting;
    private @Nullable Object ahead;

    Intake(ChannelHandlerContext ctx) {
        this.ctx = ctx;
    }

    /** For one more message. What was read may have been none yet: then it is asked for again. */
    void ask() {
        wanting = true;
        ctx.read();
    }

    /** A message has come. */
    void arrived() {
        wanting = false;
    }

    /** A read is over. */
    void readComplete() {
        if (wanting) {
            ctx.read();
        }
    }

    /** Keeps a message until its turn has come; takes ownership. */
    void keep(Object message) {
        release();
        ahead = message;
    }

    /** What was kept, the caller's now; null when there was nothing, and more was asked for. */
    @Nullable
    Object takeOrAsk() {
        Object next = ahead;
        ahead = null;
        if (next == null) {
            ask();
        }
        return next;
    }

    void release() {
        ReferenceCountUtil.release(ahead);
        ahead = null;
    }
}
