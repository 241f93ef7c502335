package dev.coppice.proxy.pool;

import java.util.Arrays;

/**
 * What a Parse says apart from the name: query and parameter types. Two clients that prepare the same share it on a
 * server connection. Immutable.
 */
final class PreparedStatement {
    private final byte[] content;
    private final int hash;

    /** @param content of a Parse behind the name; not copied, and not to be changed */
    PreparedStatement(byte[] content) {
        this.content = content;
        this.hash = Arrays.hashCode(content);
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
