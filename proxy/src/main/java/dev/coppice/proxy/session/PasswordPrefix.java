package dev.coppice.proxy.session;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Optional;

/**
 * A password that says where it belongs: {@code endpoint=<endpoint id>;<password>}, or {@code $} in place of the
 * semicolon, for drivers that can send neither options nor a server name.
 */
record PasswordPrefix(String endpointId, String password) {
    private static final String PREFIX = "endpoint=";

    /** The password in the body of a PasswordMessage, a string with its terminating zero; empty when it is none. */
    static String text(byte[] body) {
        boolean terminated = body.length > 0 && body[body.length - 1] == 0;
        return terminated ? new String(body, 0, body.length - 1, UTF_8) : "";
    }

    /** @param body of a PasswordMessage */
    static Optional<PasswordPrefix> parse(byte[] body) {
        String text = text(body);
        int end = PREFIX.length();
        while (end < text.length() && text.charAt(end) != ';' && text.charAt(end) != '$') {
            end++;
        }
        if (!text.startsWith(PREFIX) || end >= text.length() || end == PREFIX.length()) {
            return Optional.empty();
        }
        return Optional.of(new PasswordPrefix(text.substring(PREFIX.length(), end), text.substring(end + 1)));
    }

    /** Without the password. */
    @Override
    public String toString() {
        return "PasswordPrefix[" + endpointId + "]";
    }
}
