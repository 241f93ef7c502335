package dev.coppice.proxy.pool.sql;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a client has set in its session, in the order in which it did, to be repeated on the next server connection.
 * Immutable, so that a server connection can remember whose it has.
 */
public record SessionSettings(Map<String, String> statements) {
    public static final SessionSettings NONE = new SessionSettings(Map.of());

    private static final int MAX_SETTINGS = 100;
    /** They neither change how a query is understood nor what its constants are. Every other one is taken to. */
    private static final Set<String> NOT_FOR_PARSING = Set.of(
            "application_name",
            "client_min_messages",
            "idle_in_transaction_session_timeout",
            "idle_session_timeout",
            "lock_timeout",
            "statement_timeout",
            "transaction_timeout");

    public SessionSettings with(Setting setting) {
        if (setting.name().equals(Setting.ALL)) {
            return NONE;
        }
        Map<String, String> changed = new LinkedHashMap<>(statements);
        changed.remove(setting.name());
        if (!setting.statement().isEmpty()) {
            changed.put(setting.name(), setting.statement());
        }
        return changed.isEmpty() ? NONE : new SessionSettings(changed);
    }

    /** Those that a statement may have been understood under: what differs in others can be shared. */
    public SessionSettings forParsing() {
        if (statements.keySet().stream().noneMatch(NOT_FOR_PARSING::contains)) {
            return this;
        }
        Map<String, String> kept = new LinkedHashMap<>(statements);
        kept.keySet().removeAll(NOT_FOR_PARSING);
        return kept.isEmpty() ? NONE : new SessionSettings(kept);
    }

    /** Whether a SET LOCAL of it may change how statements are understood; variables of the user's own do not. */
    static boolean isForParsing(String name) {
        return name.indexOf('.') < 0 && !NOT_FOR_PARSING.contains(name);
    }

    public boolean full() {
        return statements.size() >= MAX_SETTINGS;
    }

    /** Whether a parameter, as ParameterStatus spells it, was set by the client. */
    public boolean has(String parameter) {
        return statements.containsKey(parameter.toLowerCase(Locale.ROOT));
    }

    /** What brings any session of the same startup packet to these settings. */
    public String sql() {
        StringBuilder sql = new StringBuilder("RESET ALL");
        // A line end, since a statement may end in a comment.
        statements.values().forEach(statement -> sql.append("\n;").append(statement));
        return sql.toString();
    }

    /** Asked for with each transaction, and nearly always of one object: the record's own would compare the maps. */
    @Override
    public boolean equals(@Nullable Object other) {
        return this == other || (other instanceof SessionSettings that && statements.equals(that.statements));
    }

    @Override
    public int hashCode() {
        return statements.hashCode();
    }
}
