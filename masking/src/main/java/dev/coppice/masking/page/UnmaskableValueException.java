package dev.coppice.masking.page;

import dev.coppice.masking.MaskingException;

/** A value has no masked form that fits and keeps what its column promises. The message names the column and what to do. */
public final class UnmaskableValueException extends MaskingException {
    UnmaskableValueException(String message) {
        super(message);
    }
}
