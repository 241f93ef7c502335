package dev.coppice.cli.output;

import org.jspecify.annotations.Nullable;

/** Ends the command: one line of what is wrong, an optional hint of what to do, and the exit code. */
public final class CliException extends RuntimeException {
    /** The server refused, or answered what was not asked. */
    public static final int REFUSED = 1;
    /** The command line does not say what to do. */
    public static final int USAGE = 2;
    /** Nobody answers at the API's address. */
    public static final int UNREACHABLE = 3;

    private static final long serialVersionUID = 1L;

    private final int exitCode;
    private final @Nullable String hint;

    public CliException(int exitCode, String message, @Nullable String hint) {
        super(message);
        this.exitCode = exitCode;
        this.hint = hint;
    }

    public int exitCode() {
        return exitCode;
    }

    @Nullable
    public String hint() {
        return hint;
    }
}
