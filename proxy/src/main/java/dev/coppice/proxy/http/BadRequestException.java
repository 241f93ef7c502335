package dev.coppice.proxy.http;

/** A request that is not what it should be; the message says what is wrong, to the one who sent it. */
final class BadRequestException extends RuntimeException {
    BadRequestException(String message) {
        super(message);
    }
}
