package dev.coppice.proxy.pool.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.coppice.proxy.pool.sql.SessionSettings;
import io.netty.buffer.ByteBuf;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** The parameters that a server reports: as they were after the login, and as they are now. */
public final class ServerParameters {
    /** Postgres reports some 15; extensions may add theirs. */
    public static final int MAX_PARAMETERS = 1000;

    private static final int HEADER_BYTES = 5;

    private final Map<String, String> baseline = new HashMap<>();
    private final Map<String, String> current = new HashMap<>();
    /** Names of those that are not what they were after the login: kept, as it is asked for after each transaction. */
    private final Set<String> deviating = new HashSet<>();

    /** @param greeting what the server said at the login: ParameterStatus and other messages */
    public ServerParameters(ByteBuf greeting) {
        int at = greeting.readerIndex();
        while (at + HEADER_BYTES < greeting.writerIndex()) {
            int totalBytes = 1 + greeting.getInt(at + 1);
            if (greeting.getByte(at) == 'S' && at + totalBytes <= greeting.writerIndex()) {
                reported(greeting, at, totalBytes, true);
            }
            at += totalBytes;
        }
    }

    /**
     * ParameterStatus: Byte1('S'), Int32 length, String name, String value.
     *
     * @param configured whether it is so for every session from now on
     * @return false when there are too many
     */
    public boolean reported(ByteBuf in, int at, int totalBytes, boolean configured) {
        int start = at + HEADER_BYTES;
        int end = at + totalBytes;
        int zero = start < end ? in.indexOf(start, end, (byte) 0) : -1;
        if (zero < 0 || zero + 1 >= end) {
            return true;
        }
        String name = in.toString(start, zero - start, UTF_8);
        String value = in.toString(zero + 1, end - 1 - (zero + 1), UTF_8);
        current.put(name, value);
        if (configured) {
            baseline.put(name, value);
        }
        if (value.equals(baseline.get(name))) {
            deviating.remove(name);
        } else {
            deviating.add(name);
        }
        return current.size() <= MAX_PARAMETERS;
    }

    /** Whether one is not what it was after the login, these aside. */
    public boolean changed(SessionSettings known) {
        if (deviating.isEmpty()) {
            return false;
        }
        return deviating.stream().anyMatch(name -> !known.has(name));
    }
}
