package dev.coppice.masking.function.value;

import dev.coppice.masking.MaskingException;

/** A function cannot be used as it was declared. The message names what is wrong and what to do. */
public final class RefusedFunctionException extends MaskingException {
    public RefusedFunctionException(String message) {
        super(message);
    }
}
