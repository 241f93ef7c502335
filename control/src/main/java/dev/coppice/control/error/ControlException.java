package dev.coppice.control.error;

import org.jspecify.annotations.Nullable;

/** A request that the control plane refuses or cannot carry out; the unchecked root of the module. */
public final class ControlException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Why, as far as a caller can act on it. */
    public enum Kind {
        /** The request itself is malformed. */
        INVALID,
        /** The caller's key does not reach that far. */
        FORBIDDEN,
        /** No such project, branch, endpoint, role, database, operation. */
        NOT_FOUND,
        /** It exists already, or something that depends on it does. */
        CONFLICT,
        /** The thing is not in the state that the request needs. */
        PRECONDITION,
        /** More bytes than are read. */
        TOO_LARGE,
        /** Well-formed, and not allowed. */
        UNPROCESSABLE,
        /** Another operation is in the way; the same request may succeed a little later. */
        LOCKED,
        /** More than are allowed at once; the same request may succeed when others have ended. */
        TOO_MANY,
        /** A part that the request needs is away; the same request may succeed later. */
        UNAVAILABLE,
        /** The catalog went away while it was being told to commit: it may have been done, and is looked up again. */
        UNCERTAIN,
        /** A fault of ours. */
        INTERNAL,
        /** A feature of Neon's cloud that Coppice does not have. */
        NOT_HERE
    }

    private final Kind kind;

    public ControlException(Kind kind, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public ControlException(Kind kind, String message) {
        this(kind, message, null);
    }

    public Kind kind() {
        return kind;
    }

    public static ControlException invalid(String message) {
        return new ControlException(Kind.INVALID, message);
    }

    public static ControlException notFound(String message) {
        return new ControlException(Kind.NOT_FOUND, message);
    }

    public static ControlException conflict(String message) {
        return new ControlException(Kind.CONFLICT, message);
    }
}
