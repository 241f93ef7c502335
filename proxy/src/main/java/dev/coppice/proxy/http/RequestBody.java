package dev.coppice.proxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;

/** What has come of a request's body: kept up to a limit, or only counted. Confined to the connection's event loop. */
final class RequestBody {
    /** What is taken of a body that is not wanted, so that the one who sends it gets to read why, in bytes. */
    private static final long MAX_DISCARDED_BYTES = 64L << 20;

    /** What became of a piece. */
    enum Outcome {
        /** It was kept or counted. */
        TAKEN,
        /** The limit is passed just now: what was kept is gone, and no more is. */
        TOO_LARGE,
        /** As above, because all requests together hold too much. */
        NO_MEMORY
    }

    private final ByteBuf kept;
    private final MemoryBudget.Share memory;
    private final int maxBytes;
    private boolean discarding;
    private long bytes;

    private RequestBody(ByteBuf kept, MemoryBudget.Share memory, int maxBytes, boolean discarding) {
        this.kept = kept;
        this.memory = memory;
        this.maxBytes = maxBytes;
        this.discarding = discarding;
    }

    /** For a body that is kept. */
    static RequestBody kept(ByteBufAllocator alloc, int maxBytes, MemoryBudget.Share memory) {
        return new RequestBody(alloc.buffer(), memory, maxBytes, false);
    }

    /** For one that nobody wants. */
    static RequestBody discarded(MemoryBudget.Share memory) {
        return new RequestBody(Unpooled.EMPTY_BUFFER, memory, 0, true);
    }

    Outcome add(ByteBuf piece) {
        bytes += piece.readableBytes();
        if (discarding) {
            return Outcome.TAKEN;
        }
        if (bytes > maxBytes) {
            discard();
            return Outcome.TOO_LARGE;
        }
        if (!memory.take(piece.readableBytes())) {
            discard();
            return Outcome.NO_MEMORY;
        }
        kept.writeBytes(piece);
        return Outcome.TAKEN;
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
