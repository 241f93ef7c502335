package dev.coppice.proxy.relay;

/** A compute that could not be logged in to. */
public sealed class ComputeLoginException extends Exception {

    ComputeLoginException(String message) {
        super(message);
    }

    /** The compute answered with an error of its own, which is the client's to read. */
    public static final class Refused extends ComputeLoginException {
        private final String sqlState;
        private final transient byte[] frame;

        Refused(String sqlState, byte[] frame) {
            super("refused with SQLSTATE " + sqlState);
            this.sqlState = sqlState;
            this.frame = frame.clone();
        }

        public String sqlState() {
            return sqlState;
        }

        /** The whole ErrorResponse with its header. */
        public byte[] frame() {
            return frame.clone();
        }
    }

    /** The connection ended, or spoke nonsense, before the session began. */
    public static final class Broken extends ComputeLoginException {
        Broken(String message) {
            super(message);
        }
    }
}
