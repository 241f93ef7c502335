package dev.coppice.proxy.pool;

import org.jspecify.annotations.Nullable;

/**
 * A reply that a request calls for.
 *
 * @param statement what is being prepared, or closed behind the client's back
 * @param name of the statement on the server
 * @param undo what the client knew before, in case the server never comes to it
 */
record Expected(Kind kind, @Nullable PreparedStatement statement, String name, ClientStatements.@Nullable Undo undo) {
    enum Kind {
        /** Query and FunctionCall: everything up to ReadyForQuery. */
        QUERY,
        /** A query of ours: everything up to ReadyForQuery stays here. */
        HIDDEN_QUERY,
        PARSE,
        /** A Parse of ours. */
        HIDDEN_PARSE,
        /** Not asked: the server has the statement. ParseComplete is ours to say when its turn has come. */
        LOCAL_PARSE,
        BIND,
        DESCRIBE,
        EXECUTE,
        CLOSE,
        /** A Close of ours. */
        HIDDEN_CLOSE,
        /** Not asked. CloseComplete is ours to say when its turn has come. */
        LOCAL_CLOSE,
        SYNC
    }

    static final Expected QUERY = of(Kind.QUERY);
    static final Expected HIDDEN_QUERY = of(Kind.HIDDEN_QUERY);
    static final Expected LOCAL_PARSE = of(Kind.LOCAL_PARSE);
    static final Expected BIND = of(Kind.BIND);
    static final Expected DESCRIBE = of(Kind.DESCRIBE);
    static final Expected EXECUTE = of(Kind.EXECUTE);
    static final Expected CLOSE = of(Kind.CLOSE);
    static final Expected LOCAL_CLOSE = of(Kind.LOCAL_CLOSE);
    static final Expected SYNC = of(Kind.SYNC);

    private static Expected of(Kind kind) {
        return new Expected(kind, null, "", null);
    }

    static Expected parse(PreparedStatement statement, ClientStatements.Undo undo) {
        return new Expected(Kind.PARSE, statement, "", undo);
    }

    static Expected hiddenParse(PreparedStatement statement) {
        return new Expected(Kind.HIDDEN_PARSE, statement, "", null);
    }

    static Expected hiddenClose(ServerStatements.Evicted evicted) {
        return new Expected(Kind.HIDDEN_CLOSE, evicted.statement(), evicted.name(), null);
    }

    /** The same, with something to undo. */
    Expected with(ClientStatements.Undo undoing) {
        return new Expected(kind, statement, name, undoing);
    }

    /** Whether ReadyForQuery ends it. */
    boolean endsWithReady() {
        return kind == Kind.QUERY || kind == Kind.HIDDEN_QUERY || kind == Kind.SYNC;
    }
}
