package dev.coppice.compute.agent;

/** The other side does not speak the protocol, or not its version; the connection cannot go on. */
final class ProtocolException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ProtocolException(String message) {
        super(message);
    }
}
