package dev.coppice.server;

/** The server cannot start here; the message says what to change. */
final class ServerStartException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ServerStartException(String message, Throwable cause) {
        super(message, cause);
    }

    ServerStartException(String message) {
        super(message);
    }
}
