package dev.coppice.proxy.pgwire;

/** Carries a {@link PgError} to the place that can tell the client. */
public final class PgErrorException extends RuntimeException {
    private final transient PgError error;

    public PgErrorException(PgError error) {
        super(error.state().code() + " " + error.message());
        this.error = error;
    }

    public PgError error() {
        return error;
    }
}
