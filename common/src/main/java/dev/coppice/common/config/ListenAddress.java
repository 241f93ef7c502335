package dev.coppice.common.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/**
 * A TCP address, written {@code host:port} ({@code 127.0.0.1:5433}, {@code [::1]:5433}). The host is kept without
 * brackets; port 0 means "any free port".
 */
public record ListenAddress(String host, int port) {
    private static final int LAST_PORT = 65_535;

    /** Checks the range of the port. */
    public ListenAddress {
        if (host.isBlank() || port < 0 || port > LAST_PORT) {
            throw new IllegalArgumentException("must be host:port with a port from 0 to " + LAST_PORT);
        }
    }

    /**
     * Reads {@code host:port}.
     *
     * @throws IllegalArgumentException saying what was expected
     */
    @JsonCreator
    public static ListenAddress parse(String text) {
        int colon = text.lastIndexOf(':');
        boolean bracketed = colon > 1 && text.startsWith("[") && text.charAt(colon - 1) == ']';
        if (colon < 1 || (text.indexOf(':') != colon && !bracketed)) {
            throw new IllegalArgumentException(
                    "must be host:port, like 127.0.0.1:5433 or [::1]:5433, not \"" + text + "\"");
        }
        String host = bracketed ? text.substring(1, colon - 1) : text.substring(0, colon);
        try {
            return new ListenAddress(host, Integer.parseInt(text.substring(colon + 1)));
        } catch (NumberFormatException notANumber) {
            throw new IllegalArgumentException("must end in a port number, not \"" + text + "\"", notANumber);
        }
    }

    /** Whether it means every address of the machine, which no client can connect to by name. */
    public boolean isWildcard() {
        return host.equals("0.0.0.0") || host.equals("::");
    }

    /** The address itself, or 127.0.0.1 where it means every address: what a client on this machine connects to. */
    public ListenAddress connectable() {
        return isWildcard() ? new ListenAddress("127.0.0.1", port) : this;
    }

    @Override
    @JsonValue
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
