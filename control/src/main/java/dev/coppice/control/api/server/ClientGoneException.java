package dev.coppice.control.api.server;

import java.io.IOException;

/** Nobody reads the answer any more, or the request ended before its body did: no fault of this server. */
public final class ClientGoneException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ClientGoneException(IOException cause) {
        super("the client has gone", cause);
    }
}
