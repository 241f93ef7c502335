package dev.coppice.compute.agent;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;

/**
 * Reads requests of one connection. The fields of the latest are in this object, and a path that comes again, as in a
 * scan, is the same string again, so that a request allocates nothing. Not for several threads.
 */
final class RequestReader {
    private final ReadableByteChannel channel;
    private final ByteBuffer in = ByteBuffer.allocateDirect(Protocol.LENGTH_SIZE + Protocol.REQUEST_MAX)
            .order(ByteOrder.LITTLE_ENDIAN)
            .flip();
    private final byte[] pathBytes = new byte[Protocol.PATH_MAX];
    private int pathLength;
    private String path = "";

    private final int[] blocks = new int[Protocol.PAGES_MAX];

    private byte op;
    private int count;
    private long first;

    RequestReader(ReadableByteChannel channel) {
        this.channel = channel;
    }

    /**
     * Waits for a request.
     *
     * @return false at the end of the connection
     * @throws EOFException when the connection ends inside a request
     * @throws ProtocolException for what is no request
     */
    boolean next() throws IOException {
        if (!fill(Protocol.LENGTH_SIZE, true)) {
            return false;
        }
        int length = in.getInt();
        if (length < Protocol.REQUEST_HEADER_SIZE || length > Protocol.REQUEST_MAX) {
            throw new ProtocolException("a request of " + Integer.toUnsignedString(length) + " bytes; "
                    + Protocol.REQUEST_HEADER_SIZE + ".." + Protocol.REQUEST_MAX + " are possible");
        }
        fill(length, false);
        op = in.get();
        in.get();
        int newPathLength = Short.toUnsignedInt(in.getShort());
        count = in.getInt();
        first = in.getLong();
        int blockCount = op == Protocol.OP_READ_BLOCKS ? requireCount(1, Protocol.PAGES_MAX) : 0;
        if (newPathLength > Protocol.PATH_MAX
                || newPathLength != length - Protocol.REQUEST_HEADER_SIZE - blockCount * Integer.BYTES) {
            throw new ProtocolException(
                    "a request of " + length + " bytes says that its path has " + newPathLength + " bytes");
        }
        readPath(newPathLength);
        for (int i = 0; i < blockCount; i++) {
            blocks[i] = in.getInt();
        }
        return true;
    }

    byte op() {
        return op;
    }

    /** As unsigned in the request; negative when it is absurdly large. */
    int count() {
        return count;
    }

    long first() {
        return first;
    }

    /**
     * The count, checked.
     *
     * @throws ProtocolException when it is outside the bounds
     */
    int requireCount(int min, int max) {
        if (count < min || count > max) {
            throw new ProtocolException(
                    "a count of " + Integer.toUnsignedString(count) + "; " + min + ".." + max + " are possible");
        }
        return count;
    }

    /** The i-th of the {@link #count} blocks of a READ_BLOCKS. */
    int block(int i) {
        return blocks[i];
    }

    String path() {
        return path;
    }

    private void readPath(int length) {
        boolean same = length == pathLength;
        for (int i = 0; i < length; i++) {
            byte b = in.get();
            same = same && b == pathBytes[i];
            pathBytes[i] = b;
        }
        if (!same) {
            pathLength = length;
            path = new String(pathBytes, 0, length, StandardCharsets.UTF_8);
        }
    }

    /** Makes at least {@code wanted} bytes readable in {@link #in}. */
    private boolean fill(int wanted, boolean mayEnd) throws IOException {
        if (in.remaining() >= wanted) {
            return true;
        }
        in.compact();
        while (in.position() < wanted) {
            if (channel.read(in) < 0) {
                if (mayEnd && in.position() == 0) {
                    return false;
                }
                throw new EOFException("the connection ended inside a request");
            }
        }
        in.flip();
        return true;
    }
}
