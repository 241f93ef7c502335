package dev.coppice.proxy.pool.statement;

import com.github.benmanes.caffeine.cache.Interner;
import dev.coppice.proxy.pool.sql.SessionSettings;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * What is prepared on one server connection, the least recently used first. Clients share a statement when its {@link StatementKey} is
 * theirs and the server has understood it no earlier than the client's own Parse: what DDL changed before that it has seen, whoever
 * ran it. Later is no harm, since Postgres itself may look at a statement again at any time, with the same types and as long as the
 * result's are the same; where they are not, the client is told what Postgres tells then.
 */
public final class ServerStatements {
    /** Of all names we give; no client may use it to reach another client's statement. */
    public static final String NAME_PREFIX = "coppice_statement_";

    /** The name of none. */
    public static final String NONE = NAME_PREFIX + "none";

    /** Stands for an unnamed statement of which nothing is known; equal to none that a client can prepare. */
    static final PreparedStatement UNKNOWN = new PreparedStatement(new byte[0], false);

    /**
     * A statement on the server.
     *
     * @param preparedAt the number of its Parse, {@link PreparedStatement#now}
     * @param checked whether it is known to be what its client expects
     */
    public record Prepared(String name, long preparedAt, boolean checked) {}

    /** One that has to go; {@code key} is a {@link StatementKey}, or a {@link PreparedStatement} not understood yet, or null for no use. */
    public record Evicted(@Nullable Object key, Prepared prepared) {}

    private final int limit;
    private final Interner<StatementKey> keys;
    private final LinkedHashMap<Object, Prepared> names = new LinkedHashMap<>(16, 0.75f, true);
    private final Queue<Prepared> useless = new ArrayDeque<>();
    private @Nullable PreparedStatement unnamed;
    private @Nullable PreparedStatement changed;
    private long next = 1;

    public ServerStatements(int limit, Interner<StatementKey> keys) {
        this.limit = limit;
        this.keys = keys;
    }

    /** The name of what does for the client's statement, or null when there is nothing here that does. */
    @Nullable
    public String name(PreparedStatement statement) {
        Prepared own = names.get(statement);
        if (own != null) {
            return own.checked ? own.name : null;
        }
        Prepared shared = statement.key() == null ? null : names.get(statement.key());
        return shared != null && shared.preparedAt >= statement.preparedAt() ? shared.name : null;
    }

    /** Gives it a name that was never used before; {@link #understood} follows when the server has said what it is. */
    public String add(PreparedStatement statement, boolean checked) {
        Prepared prepared = new Prepared(NAME_PREFIX + next++, PreparedStatement.now(), checked);
        Prepared before = names.put(statement, prepared);
        if (before != null) {
            useless.add(before);
        }
        return prepared.name;
    }

    /**
     * The server has said what it understands. When that is not what the client knows, the statement is of no use to it ({@link
     * #takeChanged}).
     *
     * @param settings under which it was understood; null when they are not known
     */
    public void understood(PreparedStatement statement, @Nullable SessionSettings settings, StatementShape shape) {
        StatementKey before = statement.key();
        Prepared prepared = names.remove(statement);
        if (before != null && !before.shape().equals(shape)) {
            if (prepared != null) {
                useless.add(prepared);
            }
            if (hasUnnamed(statement)) {
                unnamed = UNKNOWN;
            }
            changed = statement;
            return;
        }
        StatementKey key = keys.intern(StatementKey.of(statement, settings, shape));
        statement.understood(key);
        if (prepared != null) {
            Prepared older = names.put(key, new Prepared(prepared.name, prepared.preparedAt, true));
            if (older != null) {
                useless.add(older);
            }
        }
    }

    /** Whether the server was just found to understand the statement otherwise than its client does. */
    public boolean takeChanged(PreparedStatement statement) {
        boolean is = changed == statement;
        changed = null;
        return is;
    }

    /** One that is to be closed, taken out: one that nobody can use, or that was used least recently when there are too many. */
    @Nullable
    public Evicted evict() {
        Prepared nobodys = useless.poll();
        if (nobodys != null) {
            return new Evicted(null, nobodys);
        }
        if (names.size() <= limit) {
            return null;
        }
        Iterator<Map.Entry<Object, Prepared>> eldest = names.entrySet().iterator();
        Map.Entry<Object, Prepared> entry = eldest.next();
        Evicted evicted = new Evicted(entry.getKey(), entry.getValue());
        eldest.remove();
        return evicted;
    }

    /** The server never came to close it. */
    void restore(Evicted evicted) {
        if (evicted.prepared.name.isEmpty()) {
            unnamed = UNKNOWN;
        } else if (evicted.key == null || names.putIfAbsent(evicted.key, evicted.prepared) != null) {
            useless.add(evicted.prepared);
        }
    }

    /** The unnamed statement of whoever was here before, to be closed. */
    public static Evicted unnamedOfOthers() {
        return new Evicted(null, new Prepared("", 0, false));
    }

    /** The server never came to prepare it, or could not. */
    void remove(PreparedStatement statement) {
        names.remove(statement);
        if (hasUnnamed(statement)) {
            unnamed = UNKNOWN;
        }
    }

    /** The server never came to say what it understands. */
    void notUnderstood(PreparedStatement statement) {
        Prepared prepared = names.get(statement);
        if (prepared != null && !prepared.checked) {
            names.remove(statement);
            useless.add(prepared);
        } else if (prepared == null && statement.key() != null && hasUnnamed(statement)) {
            unnamed = UNKNOWN;
        }
    }

    /** Whether what the server has by this name does for the statement. */
    boolean isNamed(PreparedStatement statement, String serverName) {
        Prepared own = names.get(statement);
        Prepared shared = statement.key() == null ? null : names.get(statement.key());
        return (own != null && own.name.equals(serverName)) || (shared != null && shared.name.equals(serverName));
    }

    /** Whether this is the unnamed statement; null stands for none. */
    public boolean hasUnnamed(@Nullable PreparedStatement statement) {
        return unnamed == statement;
    }

    public void unnamed(@Nullable PreparedStatement statement) {
        unnamed = statement;
    }

    /** DISCARD ALL or DEALLOCATE ALL. */
    public void clear() {
        names.clear();
        useless.clear();
        unnamed = null;
    }
}
