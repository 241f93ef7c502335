package dev.coppice.proxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;

/** What has come of a request's body: kept up to a limit, or only counted. Confined to the connection's event loop. */
final class RequestBody {
    /** What is taken of a body that is not wanted, so that the one who sends it gets to read why, in bytes. */
    private static final long MAX_DISCARDED_BYTES = 64L << 20;

    private final ByteBuf kept;
    private final int maxBytes;
    private boolean discarding;
    private long bytes;

    private RequestBody(ByteBuf kept, int maxBytes, boolean discarding) {
        this.kept = kept;
        this.maxBytes = maxBytes;
        this.discarding = discarding;
    }

    /** For a body that is kept. */
    static RequestBody kept(ByteBufAllocator alloc, int maxBytes) {
        return new RequestBody(alloc.buffer(), maxBytes, false);
    }

    /** For one that nobody wants. */
    static RequestBody discarded() {
        return new RequestBody(Unpooled.EMPTY_BUFFER, 0, true);
    }

    /** @return false when the limit is passed just now: what was kept is gone, and no more is */
    boolean add(ByteBuf piece) {
        bytes += piece.readableBytes();
        if (!discarding && bytes > maxBytes) {
            discard();
            return false;
        }
        if (!discarding) {
            kept.writeBytes(piece);
        }
        return true;
    }

    /** Whether there is something to read in it at the end. */
    boolean wanted() {
        return !discarding;
    }

    /** Whether so much came that the one who sends it need not be heard to the end. */
    boolean endless() {
        return discarding && bytes > MAX_DISCARDED_BYTES;
    }

    /** What was kept; the caller's now. */
    ByteBuf take() {
        discarding = true;
        return kept;
    }

    /** Lets go of what was kept; more is only counted. */
    void discard() {
        if (!discarding) {
            discarding = true;
            kept.release();
        }
    }
}
