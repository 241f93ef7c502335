package dev.coppice.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URLDecoder;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What {@code ./coppice connection-string} prints, taken apart.
 *
 * @param options the startup option that names the endpoint
 */
record ConnectionString(String user, String password, String host, int port, String database, String options) {
    private static final Pattern FORM =
            Pattern.compile("postgresql://([^:]+):([^@]+)@([^:/]+):(\\d+)/([^?]+)\\?options=([^&]+).*");

    /** @throws IllegalArgumentException when it is another text */
    public static ConnectionString parse(String text) {
        Matcher parts = FORM.matcher(text);
        if (!parts.matches()) {
            throw new IllegalArgumentException("not a connection string of Coppice with options=endpoint: " + text);
        }
        return new ConnectionString(
                parts.group(1),
                URLDecoder.decode(parts.group(2), UTF_8),
                parts.group(3),
                Integer.parseInt(parts.group(4)),
                parts.group(5),
                URLDecoder.decode(parts.group(6), UTF_8));
    }

    /** The same through the endpoint's pool. */
    ConnectionString pooled() {
        return new ConnectionString(user, password, host, port, database, options + "-pooler");
    }
}
