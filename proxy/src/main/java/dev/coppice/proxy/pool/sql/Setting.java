package dev.coppice.proxy.pool.sql;

/**
 * A SET or RESET of a session that can be repeated on another server connection.
 *
 * @param name of the parameter in lower case; {@code *} for RESET ALL
 * @param statement the SET as the client wrote it; empty for a RESET
 */
public record Setting(String name, String statement) {
    static final String ALL = "*";
}
