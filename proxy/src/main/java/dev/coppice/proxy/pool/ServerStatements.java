package dev.coppice.proxy.pool;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What is prepared on one server connection, the least recently used first. */
final class ServerStatements {
    /** Of all names we give; no client may use it to reach another client's statement. */
    static final String NAME_PREFIX = "coppice_statement_";

    /** Stands for an unnamed statement of which nothing is known; equal to none that a client can prepare. */
    static final PreparedStatement UNKNOWN = new PreparedStatement(new byte[0], false);

    /** A statement that has to go, and its name on the server. */
    record Evicted(PreparedStatement statement, String name) {}

    private final int limit;
    private final LinkedHashMap<PreparedStatement, String> names = new LinkedHashMap<>(16, 0.75f, true);
    private @Nullable PreparedStatement unnamed;
    private long next = 1;

    ServerStatements(int limit) {
        this.limit = limit;
    }

    /** Its name on the server, or nothing when it is not prepared there. */
    @Nullable
    String name(PreparedStatement statement) {
        return names.get(statement);
    }

    /** Gives it a name that was never used before. */
    String add(PreparedStatement statement) {
        String name = NAME_PREFIX + next++;
        names.put(statement, name);
        return name;
    }

    /** The one that was used least recently, taken out, when there are too many. */
    Optional<Evicted> evict() {
        if (names.size() <= limit) {
            return Optional.empty();
        }
        Iterator<Map.Entry<PreparedStatement, String>> eldest = names.entrySet().iterator();
        Map.Entry<PreparedStatement, String> entry = eldest.next();
        Evicted evicted = new Evicted(entry.getKey(), entry.getValue());
        eldest.remove();
        return Optional.of(evicted);
    }

    /** The server never came to close it. */
    void restore(Evicted evicted) {
        if (evicted.name().isEmpty()) {
            unnamed = UNKNOWN;
        } else {
            names.putIfAbsent(evicted.statement(), evicted.name());
        }
    }

    /** The server never came to prepare it, or could not. */
    void remove(PreparedStatement statement) {
        names.remove(statement);
        if (hasUnnamed(statement)) {
            unnamed = UNKNOWN;
        }
    }

    /** Whether this is the unnamed statement; null stands for none. */
    boolean hasUnnamed(@Nullable PreparedStatement statement) {
        return Objects.equals(unnamed, statement);
    }

    void unnamed(@Nullable PreparedStatement statement) {
        unnamed = statement;
    }

    /** DISCARD ALL or DEALLOCATE ALL. */
    void clear() {
        names.clear();
        unnamed = null;
    }
}
