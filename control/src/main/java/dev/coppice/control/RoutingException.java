package dev.coppice.control;

/** An endpoint cannot be connected to. The parts go to a Postgres client as they are. */
public final class RoutingException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String sqlState;
    private final String hint;

    RoutingException(String sqlState, String message, String hint) {
        super(message);
        this.sqlState = sqlState;
        this.hint = hint;
    }

    /** Five characters, see appendix A of the Postgres documentation. */
    public String sqlState() {
        return sqlState;
    }

    /** What to do about it. */
    public String hint() {
        return hint;
    }
}
