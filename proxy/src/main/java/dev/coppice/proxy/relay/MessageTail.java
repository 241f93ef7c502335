package dev.coppice.proxy.relay;

import io.netty.buffer.ByteBuf;

/**
 * Recognises two messages at the very end of what was read, without having parsed what is before them. A message that
 * was split over two reads is not recognised, which only costs the client an explanation.
 */
final class MessageTail {
    private static final int HEADER_BYTES = 5;
    private static final int READY_FOR_QUERY_LENGTH = 5;
    private static final int TERMINATE_LENGTH = 4;

    private MessageTail() {}

    /** {@code Z 00 00 00 05 status}: the server waits for a query. */
    static boolean isReadyForQuery(ByteBuf bytes) {
        int start = bytes.writerIndex() - HEADER_BYTES - 1;
        if (start < bytes.readerIndex()
                || bytes.getByte(start) != 'Z'
                || bytes.getInt(start + 1) != READY_FOR_QUERY_LENGTH) {
            return false;
        }
        byte status = bytes.getByte(start + HEADER_BYTES);
        return status == 'I' || status == 'T' || status == 'E';
    }

    /** Whether a ReadyForQuery at the end says that no transaction is open. */
    static boolean isIdle(ByteBuf bytes) {
        return bytes.getByte(bytes.writerIndex() - 1) == 'I';
    }

    /** {@code X 00 00 00 04}: the client takes its leave. */
    static boolean isTerminate(ByteBuf bytes) {
        int start = bytes.writerIndex() - HEADER_BYTES;
        return start >= bytes.readerIndex()
                && bytes.getByte(start) == 'X'
                && bytes.getInt(start + 1) == TERMINATE_LENGTH;
    }
}
