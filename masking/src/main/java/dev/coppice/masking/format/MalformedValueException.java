package dev.coppice.masking.format;

import dev.coppice.masking.MaskingException;

/** Bytes are not a value of the type that they should be. The message never contains the bytes. */
public final class MalformedValueException extends MaskingException {
    public MalformedValueException(String message) {
        super(message);
    }
}
