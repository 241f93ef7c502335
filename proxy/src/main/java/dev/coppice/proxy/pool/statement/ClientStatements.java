package dev.coppice.proxy.pool.statement;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What one client has prepared, by its own names; bounded. The unnamed statement has the empty name. */
public final class ClientStatements {
    /** What a name stood for before it was changed; null stands for nothing. */
    public record Undo(
            ClientStatements of, String name, @Nullable PreparedStatement before) {
        void run() {
            if (before == null) {
                of.remove(name);
            } else {
                of.put(name, before);
            }
        }
    }

    private static final int MAX_STATEMENTS = 10_000;
    private static final long MAX_BYTES = 16L << 20;

    private final Map<String, PreparedStatement> statements = new HashMap<>();
    private long bytes;

    /** How things are now, for this name. */
    public Undo undo(String name) {
        return new Undo(this, name, statements.get(name));
    }

    /** What the client calls what the server calls so; the server's name when it has no such statement. */
    public String nameOf(ServerStatements server, String serverName) {
        return statements.entrySet().stream()
                .filter(entry -> server.isNamed(entry.getValue(), serverName))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse(serverName);
    }

    @Nullable
    public PreparedStatement get(String name) {
        return statements.get(name);
    }

    /** @return false when the client has prepared too much already */
    public boolean put(String name, PreparedStatement statement) {
        PreparedStatement before = statements.put(name, statement);
        bytes += statement.sizeBytes() - (before == null ? 0 : before.sizeBytes());
        return statements.size() <= MAX_STATEMENTS && bytes <= MAX_BYTES;
    }

    public void remove(String name) {
        PreparedStatement before = statements.remove(name);
        if (before != null) {
            bytes -= before.sizeBytes();
        }
    }

    public void clear() {
        statements.clear();
        bytes = 0;
    }
}
