package dev.coppice.proxy.pool.statement;

import dev.coppice.proxy.pool.sql.SessionSettings;
import org.jspecify.annotations.Nullable;

/**
 * A reply that a request calls for.
 *
 * @param statement what is being prepared or described
 * @param settings that a described statement was understood under; null when they are not known
 * @param evicted what is closed behind the client's back
 * @param undo what the client knew before, in case the server never comes to it
 */
public record Expected(
        Kind kind,
        @Nullable PreparedStatement statement,
        @Nullable SessionSettings settings,
        ServerStatements.@Nullable Evicted evicted,
        ClientStatements.@Nullable Undo undo) {
    public enum Kind {
        /** Query and FunctionCall: everything up to ReadyForQuery. */
        QUERY,
        /** A query of ours: everything up to ReadyForQuery stays here. */
        HIDDEN_QUERY,
        PARSE,
        /** A Parse of ours. */
        HIDDEN_PARSE,
        BIND,
        /** A Bind or Describe of a statement whose result is not what it was: the server finds nothing, the client is told why. */
        CHANGED,
        DESCRIBE,
        /** A Describe of ours, of a statement. */
        HIDDEN_DESCRIBE,
        EXECUTE,
        CLOSE,
        /** A Close of ours. */
        HIDDEN_CLOSE,
        /** Not asked. CloseComplete is ours to say when its turn has come. */
        LOCAL_CLOSE,
        SYNC
    }

    public static final Expected QUERY = of(Kind.QUERY);
    public static final Expected HIDDEN_QUERY = of(Kind.HIDDEN_QUERY);
    public static final Expected BIND = of(Kind.BIND);
    public static final Expected CHANGED = of(Kind.CHANGED);
    public static final Expected DESCRIBE = of(Kind.DESCRIBE);
    public static final Expected EXECUTE = of(Kind.EXECUTE);
    public static final Expected CLOSE = of(Kind.CLOSE);
    public static final Expected LOCAL_CLOSE = of(Kind.LOCAL_CLOSE);
    public static final Expected SYNC = of(Kind.SYNC);

    private static Expected of(Kind kind) {
        return new Expected(kind, null, null, null, null);
    }

    public static Expected parse(PreparedStatement statement, ClientStatements.Undo undo) {
        return new Expected(Kind.PARSE, statement, null, null, undo);
    }

    public static Expected hiddenParse(PreparedStatement statement) {
        return new Expected(Kind.HIDDEN_PARSE, statement, null, null, null);
    }

    public static Expected hiddenClose(ServerStatements.Evicted evicted) {
        return new Expected(Kind.HIDDEN_CLOSE, null, null, evicted, null);
    }

    /** A Parse that must fail: the client has the name already. */
    public static Expected parseAgain() {
        return of(Kind.PARSE);
    }

    public static Expected hiddenDescribe(PreparedStatement statement, @Nullable SessionSettings settings) {
        return new Expected(Kind.HIDDEN_DESCRIBE, statement, settings, null, null);
    }

    /** The same, with something to undo. */
    public Expected with(ClientStatements.Undo undoing) {
        return new Expected(kind, statement, settings, evicted, undoing);
    }

    /** Whether ReadyForQuery ends it. */
    boolean endsWithReady() {
        return kind == Kind.QUERY || kind == Kind.HIDDEN_QUERY || kind == Kind.SYNC;
    }
}
