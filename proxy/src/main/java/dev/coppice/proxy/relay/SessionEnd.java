package dev.coppice.proxy.relay;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.pgwire.PgError;
import java.util.Optional;

/** Who ended a session. */
public enum SessionEnd {
    CLIENT("client"),
    COMPUTE("compute"),
    SHUTDOWN("shutdown");

    private static final PgError COMPUTE_LOST = PgError.of(
            SqlState.CONNECTION_FAILURE,
            "the connection to the branch's compute was lost",
            "Connect again: the compute is started anew, and everything that was committed is there.");
    private static final PgError SHUTTING_DOWN = PgError.of(
            SqlState.ADMIN_SHUTDOWN,
            "terminating connection because Coppice is shutting down",
            "Connect again once it is back.");

    private final String label;

    SessionEnd(String label) {
        this.label = label;
    }

    /** For log lines. */
    public String label() {
        return label;
    }

    /** What the client is told, where that cannot land inside a message; nothing when it left by itself. */
    public Optional<PgError> farewell() {
        return switch (this) {
            case CLIENT -> Optional.empty();
            case COMPUTE -> Optional.of(COMPUTE_LOST);
            case SHUTDOWN -> Optional.of(SHUTTING_DOWN);
        };
    }
}
