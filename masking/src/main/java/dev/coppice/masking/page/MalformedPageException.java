package dev.coppice.masking.page;

import dev.coppice.masking.MaskingException;
import org.jspecify.annotations.Nullable;

/** A page is not what the relation's layout says, so nothing in it can be shown. The message names the place and no data. */
public final class MalformedPageException extends MaskingException {
    MalformedPageException(String message) {
        super(message);
    }

    MalformedPageException(String message, @Nullable Throwable cause) {
        super(message, cause == null ? new IllegalStateException(message) : cause);
    }
}
