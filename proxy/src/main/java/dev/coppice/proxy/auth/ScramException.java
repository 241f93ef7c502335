package dev.coppice.proxy.auth;

/** A peer that breaks the SCRAM protocol; says nothing about the password. */
public final class ScramException extends Exception {
    ScramException(String message) {
        super(message);
    }
}
