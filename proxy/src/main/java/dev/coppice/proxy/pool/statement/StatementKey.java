package dev.coppice.proxy.pool.statement;

import dev.coppice.proxy.pool.sql.SessionSettings;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What clients have to have in common to share a statement on a server connection: the query with the declared types, all settings
 * that it can have been understood under, and what was understood. The role and what the startup packet sets are the same for all
 * who share the connection. Immutable.
 */
public final class StatementKey {
    private final byte[] content;
    private final SessionSettings settings;
    private final StatementShape shape;
    /** Whose alone it is, where the settings were not all known. */
    private final @Nullable Object owner;

    private final int hash;

    private StatementKey(byte[] content, SessionSettings settings, StatementShape shape, @Nullable Object owner) {
        this.content = content;
        this.settings = settings;
        this.shape = shape;
        this.owner = owner;
        this.hash = 31 * (31 * Arrays.hashCode(content) + settings.hashCode()) + shape.hashCode();
    }

    /** @param settings those that it was understood under; null when they are not known, and nobody can have the same */
    static StatementKey of(PreparedStatement statement, @Nullable SessionSettings settings, StatementShape shape) {
        return settings == null
                ? new StatementKey(statement.content(), SessionSettings.NONE, shape, statement)
                : new StatementKey(statement.content(), settings, shape, null);
    }

    public byte[] content() {
        return content;
    }

    public StatementShape shape() {
        return shape;
    }

    @Override
    public boolean equals(Object other) {
        return this == other
                || (other instanceof StatementKey key
                        && hash == key.hash
                        && Objects.equals(owner, key.owner)
                        && Arrays.equals(content, key.content)
                        && settings.equals(key.settings)
                        && shape.equals(key.shape));
    }

    @Override
    public int hashCode() {
        return hash;
    }
}
