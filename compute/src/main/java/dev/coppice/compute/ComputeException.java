package dev.coppice.compute;

import org.jspecify.annotations.Nullable;

/** A compute, or something that computes need, cannot be had. The message says why and what to do about it. */
public class ComputeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ComputeException(String message) {
        this(message, null);
    }

    public ComputeException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
