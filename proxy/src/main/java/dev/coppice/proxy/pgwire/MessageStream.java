package dev.coppice.proxy.pgwire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.ByteToMessageDecoder;
import org.jspecify.annotations.Nullable;

/**
 * Cuts what one side of a session sends into messages - Byte1 type, Int32 length without the type byte - and asks for
 * each whether it goes to the other side. Neighbouring messages that do are passed on together, without a copy: as what was
 * read itself, or a slice of it; of a message that nobody needs whole, the rest is passed on as it comes. Memory is bounded by what
 * {@link #needed} asks for and one read.
 *
 * <p>Confined to one event loop. Owns what is appended until it is passed on.
 */
public abstract class MessageStream {
    /** Type and length, in bytes. */
    protected static final int HEADER_BYTES = 5;
    /** No message of Postgres is longer (PQ_LARGE_MESSAGE_LIMIT, MaxAllocSize), in bytes. */
    private static final int MAX_LENGTH_BYTES = 0x3FFFFFFF;

    /** What becomes of a message. */
    protected enum Verdict {
        /** It goes on as it is. */
        PASS,
        /** It goes on as it is, at once, and {@link #settled} is called then. */
        PASS_AND_SETTLE,
        /** {@link #replace} stands for its beginning; the rest goes on. */
        PASS_REST,
        /** It goes nowhere. */
        DROP,
        /** It cannot be decided yet: everything waits, until {@link #process} is called. */
        WAIT
    }

    private @Nullable ByteBuf rest;
    private int runStart;
    private int replacedBytes;
    private int remainingBytes;
    private boolean remainderPasses;
    private boolean processing;
    private boolean released;

    /** Bytes of a message that must be at hand before it is decided on; those longer are decided on with this many. */
    protected abstract int needed(byte type);

    /** @param in its reader index is at the message's beginning, and must be there afterwards */
    protected abstract Verdict message(byte type, int totalBytes, ByteBuf in);

    /** Sends to the other side; takes ownership. */
    protected abstract void pass(ByteBuf bytes);

    /** A message has gone for which {@link Verdict#PASS_AND_SETTLE} was said. */
    protected abstract void settled();

    /** The bytes are no messages; nothing more is looked at. */
    protected abstract void violated(String problem);

    /** Adds what was read; takes ownership. */
    public final void append(ByteBufAllocator alloc, ByteBuf bytes) {
        if (released) {
            bytes.release();
        } else {
            if (rest == null) {
                rest = bytes;
                runStart = bytes.readerIndex();
            } else {
                rest = ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(alloc, rest, bytes);
            }
        }
    }

    /** Whether no message has been passed on in part. */
    public final boolean atBoundary() {
        return remainingBytes == 0;
    }

    /** Bytes that wait to be decided on. */
    public final int pendingBytes() {
        return rest == null ? 0 : rest.readableBytes();
    }

    /** Lets go of what is left; nothing is processed any more. */
    public final void release() {
        released = true;
        if (!processing) {
            releaseRest();
        }
    }

    private void releaseRest() {
        if (rest != null) {
            rest.release();
            rest = null;
        }
    }

    /** Looks at everything that is there. */
    public final void process() {
        if (rest == null || processing || released) {
            return;
        }
        processing = true;
        try {
            runStart = rest.readerIndex();
            boolean more = true;
            while (more && !released && rest != null && rest.isReadable()) {
                more = remainingBytes > 0 ? remainder(rest) : next(rest);
            }
            if (!released) {
                passBefore();
            }
        } finally {
            processing = false;
        }
        if (rest != null && (released || !rest.isReadable())) {
            releaseRest();
        }
    }

    private boolean remainder(ByteBuf in) {
        int bytes = Math.min(remainingBytes, in.readableBytes());
        remainingBytes -= bytes;
        if (!remainderPasses) {
            passBefore();
        }
        in.skipBytes(bytes);
        if (!remainderPasses) {
            runStart = in.readerIndex();
        }
        return true;
    }

    private boolean next(ByteBuf in) {
        if (in.readableBytes() < HEADER_BYTES) {
            return false;
        }
        int start = in.readerIndex();
        byte type = in.getByte(start);
        int length = in.getInt(start + 1);
        if (length < Integer.BYTES || length > MAX_LENGTH_BYTES) {
            passBefore();
            violated("message with the impossible length " + length);
            return false;
        }
        int total = 1 + length;
        if (in.readableBytes() < Math.min(total, Math.max(HEADER_BYTES, needed(type)))) {
            return false;
        }
        replacedBytes = 0;
        Verdict verdict = message(type, total, in);
        if (released) {
            return false;
        }
        switch (verdict) {
            case PASS -> consume(in, total, true);
            case PASS_AND_SETTLE -> {
                consume(in, total, true);
                passBefore();
                settled();
            }
            case PASS_REST -> {
                in.skipBytes(replacedBytes);
                runStart = in.readerIndex();
                consume(in, total - replacedBytes, true);
            }
            case DROP -> {
                passBefore();
                consume(in, total, false);
                runStart = in.readerIndex();
            }
            case WAIT -> {
                passBefore();
                return false;
            }
        }
        return true;
    }

    private void consume(ByteBuf in, int total, boolean passes) {
        int bytes = Math.min(total, in.readableBytes());
        in.skipBytes(bytes);
        remainingBytes = total - bytes;
        remainderPasses = passes;
    }

    /** Passes on what is before the message just looked at. To be called before anything is sent besides. */
    protected final void passBefore() {
        ByteBuf in = rest;
        if (in == null || in.readerIndex() <= runStart) {
            return;
        }
        ByteBuf run;
        if (in.isReadable()) {
            run = in.retainedSlice(runStart, in.readerIndex() - runStart);
            runStart = in.readerIndex();
        } else {
            // Nothing is left: what was read goes on itself.
            run = in.readerIndex(runStart);
            rest = null;
        }
        pass(run);
    }

    /**
     * Sends {@code beginning} in place of the first bytes of the message just looked at; {@link Verdict#PASS_REST}
     * must follow.
     *
     * @param instead how many bytes it stands for
     */
    protected final void replace(ByteBuf beginning, int instead) {
        passBefore();
        replacedBytes = instead;
        pass(beginning);
    }
}
