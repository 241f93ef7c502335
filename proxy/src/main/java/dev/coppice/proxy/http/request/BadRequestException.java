package dev.coppice.proxy.http.request;

/** A request that is not what it should be; the message says what is wrong, to the one who sent it. */
public final class BadRequestException extends RuntimeException {
    public BadRequestException(String message) {
        super(message);
    }
}
