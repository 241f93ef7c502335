package dev.coppice.storage.io;

import java.io.IOException;

/** Something in a directory that a compute can write is not what it should be. Nothing was read from it, or written to it. */
public final class UntrustedFileException extends IOException {
    private static final long serialVersionUID = 1;

    /** @param file the path, for the reader of a log */
    UntrustedFileException(String file, String what) {
        super(file + " " + what);
    }
}
