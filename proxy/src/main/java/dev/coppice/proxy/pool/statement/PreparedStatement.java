package dev.coppice.proxy.pool.statement;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What one client has prepared with one Parse: that Parse reached a server, so it failed, or was understood, as of then. Which servers
 * have it, and whether they share it with others, is {@link ServerStatements}' business. Equal to itself only. Confined to the pool's
 * home loop.
 */
public final class PreparedStatement {
    /** Of all Parses: one with a higher number was understood later. */
    private static final AtomicLong CLOCK = new AtomicLong();

    private final byte[] content;
    private final boolean copies;
    private final long preparedAt = now();
    private @Nullable StatementKey key;

    /**
     * @param content of a Parse behind the name; not copied, and not to be changed
     * @param copies whether it may be a COPY, which its content says
     */
    public PreparedStatement(byte[] content, boolean copies) {
        this.content = content;
        this.copies = copies;
    }

    /** One whose content is not kept. */
    public static PreparedStatement unkept() {
        return new PreparedStatement(new byte[0], true);
    }

    /** The number for a Parse that goes to a server now. */
    static long now() {
        return CLOCK.incrementAndGet();
    }

    /** The number of the client's Parse: what a server understood before that may be out of date for this client. */
    long preparedAt() {
        return preparedAt;
    }

    /** Whether it may be a COPY, which reads what the client sends behind the Execute. */
    public boolean copies() {
        return copies;
    }

    /** What a server has understood; null until it has said so. */
    @Nullable
    public StatementKey key() {
        return key;
    }

    void understood(StatementKey now) {
        key = now;
    }

    public byte[] content() {
        StatementKey known = key;
        return known == null ? content : known.content();
    }

    int sizeBytes() {
        return content.length;
    }
}
