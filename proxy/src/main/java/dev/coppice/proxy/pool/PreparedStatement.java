package dev.coppice.proxy.pool;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What a Parse says apart from the name: query and parameter types. Two clients that prepare the same share it on a
 * server connection. Immutable.
 */
final class PreparedStatement {
    // A real one is longer, or begins otherwise: these are negative, no SQL begins with such bytes.
    private static final AtomicLong NEXT = new AtomicLong(Long.MIN_VALUE);

    private final byte[] content;
    private final boolean copies;
    private final int hash;

    /**
     * @param content of a Parse behind the name; not copied, and not to be changed
     * @param copies whether it may be a COPY, which its content says
     */
    PreparedStatement(byte[] content, boolean copies) {
        this.content = content;
        this.copies = copies;
        this.hash = Arrays.hashCode(content);
    }

    /** One whose content is not kept, different from all others. */
    static PreparedStatement unkept() {
        return new PreparedStatement(
                ByteBuffer.allocate(Long.BYTES).putLong(NEXT.getAndIncrement()).array(), true);
    }

    /** Whether it may be a COPY, which reads what the client sends behind the Execute. */
    boolean copies() {
        return copies;
    }

    byte[] content() {
        return content;
    }

    int sizeBytes() {
        return content.length;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PreparedStatement statement
                && hash == statement.hash
                && Arrays.equals(content, statement.content);
    }

    @Override
    public int hashCode() {
        return hash;
    }
}
