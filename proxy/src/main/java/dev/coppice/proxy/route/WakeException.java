package dev.coppice.proxy.route;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.pgwire.PgError;

/** A compute that could not be started; shown to the client as it is, so without paths or internal names. */
public final class WakeException extends RuntimeException {
    private final transient PgError error;

    public WakeException(SqlState state, String message, String hint) {
        super(message);
        this.error = PgError.of(state, message, hint);
    }

    public PgError error() {
        return error;
    }
}
