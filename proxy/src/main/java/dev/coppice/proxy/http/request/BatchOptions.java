package dev.coppice.proxy.http.request;

import io.netty.handler.codec.http.HttpHeaders;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * How the transaction of a batch runs: the headers {@code Neon-Batch-Isolation-Level} (ReadUncommitted, ReadCommitted,
 * RepeatableRead, Serializable), {@code Neon-Batch-Read-Only} and {@code Neon-Batch-Deferrable}.
 *
 * @param isolation as SQL says it
 */
public record BatchOptions(Optional<String> isolation, Optional<Boolean> readOnly, Optional<Boolean> deferrable) {
    public static final String ISOLATION_LEVEL = "Neon-Batch-Isolation-Level";
    public static final String READ_ONLY = "Neon-Batch-Read-Only";
    public static final String DEFERRABLE = "Neon-Batch-Deferrable";

    /** @throws BadRequestException when a header has no meaning */
    public static BatchOptions parse(HttpHeaders headers) {
        return new BatchOptions(
                Optional.ofNullable(SingleHeader.get(headers, ISOLATION_LEVEL)).map(BatchOptions::level),
                flag(headers, READ_ONLY),
                flag(headers, DEFERRABLE));
    }

    /** Says in the response's headers how the transaction ran. */
    public static void echo(HttpHeaders request, HttpHeaders response) {
        for (String name : List.of(ISOLATION_LEVEL, READ_ONLY, DEFERRABLE)) {
            String value = request.get(name);
            if (value != null) {
                response.set(name, value);
            }
        }
    }

    private static String level(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "readuncommitted" -> "READ UNCOMMITTED";
            case "readcommitted" -> "READ COMMITTED";
            case "repeatableread" -> "REPEATABLE READ";
            case "serializable" -> "SERIALIZABLE";
            default ->
                throw new BadRequestException("the header " + ISOLATION_LEVEL
                        + " must be ReadUncommitted, ReadCommitted, RepeatableRead or Serializable");
        };
    }

    private static Optional<Boolean> flag(HttpHeaders headers, String name) {
        String value = SingleHeader.get(headers, name);
        if (value == null) {
            return Optional.empty();
        }
        return switch (value.toLowerCase(Locale.ROOT)) {
            case "true" -> Optional.of(true);
            case "false" -> Optional.of(false);
            default -> throw new BadRequestException("the header " + name + " must be true or false");
        };
    }

    /** The statement that begins the transaction. */
    public String begin() {
        StringBuilder sql = new StringBuilder("BEGIN");
        isolation.ifPresent(level -> sql.append(" ISOLATION LEVEL ").append(level));
        readOnly.ifPresent(only -> sql.append(only ? " READ ONLY" : " READ WRITE"));
        deferrable.ifPresent(yes -> sql.append(yes ? " DEFERRABLE" : " NOT DEFERRABLE"));
        return sql.toString();
    }
}
