package dev.coppice.proxy.pgwire;

import dev.coppice.common.SqlState;
import java.util.Optional;

/**
 * An error the proxy itself reports to a client; always FATAL, because the proxy only ever refuses or ends
 * connections.
 *
 * @param message what is wrong, in one line, without internal names
 * @param hint what the user can do about it
 */
public record PgError(SqlState state, String message, Optional<String> hint) {

    public static PgError of(SqlState state, String message) {
        return new PgError(state, message, Optional.empty());
    }

    public static PgError of(SqlState state, String message, String hint) {
        return new PgError(state, message, Optional.of(hint));
    }
}
