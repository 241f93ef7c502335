package dev.coppice.proxy.relay;

import io.netty.buffer.ByteBuf;

/** Recognises the end of a ReadyForQuery, {@code Z 00 00 00 05 status}, at the end of what was read. */
final class ReadyForQueryTail {
    private static final int LENGTH_BYTES = 6;
    private static final int BODY_LENGTH = 5;

    private ReadyForQueryTail() {}

    /** False also when the message was split over two reads: then the client just sees the connection close. */
    static boolean endsWithReadyForQuery(ByteBuf bytes) {
        int start = bytes.writerIndex() - LENGTH_BYTES;
        if (start < bytes.readerIndex()) {
            return false;
        }
        byte status = bytes.getByte(start + LENGTH_BYTES - 1);
        return bytes.getByte(start) == 'Z'
                && bytes.getInt(start + 1) == BODY_LENGTH
                && (status == 'I' || status == 'T' || status == 'E');
    }
}
