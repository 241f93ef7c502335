package dev.coppice.masking;

/** The root of everything that masking refuses: bad rules, and pages or values that cannot be masked safely. */
public abstract class MaskingException extends RuntimeException {
    protected MaskingException(String message) {
        super(message);
    }

    protected MaskingException(String message, Throwable cause) {
        super(message, cause);
    }
}
