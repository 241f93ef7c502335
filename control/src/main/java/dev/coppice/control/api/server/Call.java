package dev.coppice.control.api.server;

import dev.coppice.control.error.ControlException;
import io.avaje.jex.http.Context;
import java.io.IOException;
import java.io.InputStream;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One request: its parameters, checked, and its body. */
public final class Call {
    /** The largest body that is read, in bytes; every request of the API is far smaller. */
    static final int BODY_MAX_BYTES = 1 << 20;

    private static final int LIMIT_MAX = 10_000;

    private final Context context;
    private byte @Nullable [] body;

    Call(Context context) {
        this.context = context;
    }

    public String project() {
        return context.pathParam("project");
    }

    public String branch() {
        return context.pathParam("branch");
    }

    public String endpoint() {
        return context.pathParam("endpoint");
    }

    /** Who calls. */
    public Caller caller() {
        Caller caller = context.attribute(Caller.class);
        if (caller == null) {
            throw new IllegalStateException("the request was not authenticated");
        }
        return caller;
    }

    public @Nullable String header(String name) {
        return context.header(name);
    }

    /** The server's port that was connected to. */
    public int localPort() {
        return context.exchange().getLocalAddress().getPort();
    }

    /** A parameter of the path that has no method of its own here. */
    public String part(String name) {
        return context.pathParam(name);
    }

    /** The path's last part, a name or an id. */
    public String name() {
        return context.pathParam("name");
    }

    /** Whether the query parameter says so. */
    public boolean flag(String key) {
        String value = query(key);
        if (value == null || value.equals("false")) {
            return false;
        }
        if (value.equals("true")) {
            return true;
        }
        throw ControlException.invalid("the query parameter " + key + " must be true or false, not \"" + value + "\"");
    }

    @Nullable
    public String query(String key) {
        String value = context.queryParam(key);
        return value == null || value.isEmpty() ? null : value;
    }

    public String requiredQuery(String key) {
        String value = query(key);
        if (value == null) {
            throw ControlException.invalid("the query parameter " + key + " is missing");
        }
        return value;
    }

    /** A parameter that may be given several times, or once with commas. */
    public List<String> queryList(String key) {
        return context.queryParams(key).stream()
                .flatMap(value -> Arrays.stream(value.split(",")))
                .map(String::strip)
                .filter(value -> !value.isEmpty())
                .toList();
    }

    /** A required RFC 3339 time. */
    public Instant requiredTime(String key) {
        String text = requiredQuery(key);
        try {
            return OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeException e) {
            throw new ControlException(
                    ControlException.Kind.INVALID,
                    key + ": must be an RFC 3339 time with seconds and a zone, like 2026-01-02T03:04:05Z",
                    e);
        }
    }

    /** Whether {@code sort_order} asks for the largest first. */
    public boolean isDescending() {
        String order = query("sort_order");
        if (order == null || order.equalsIgnoreCase("asc")) {
            return false;
        }
        if (order.equalsIgnoreCase("desc")) {
            return true;
        }
        throw ControlException.invalid("sort_order: must be asc or desc");
    }

    /** The page size asked for, {@code absent} when none was. */
    public int limit(int absent) {
        String text = query("limit");
        if (text == null) {
            return absent;
        }
        try {
            int limit = Integer.parseInt(text);
            if (limit >= 1 && limit <= LIMIT_MAX) {
                return limit;
            }
        } catch (NumberFormatException e) {
            throw new ControlException(ControlException.Kind.INVALID, "limit: must be a number", e);
        }
        throw ControlException.invalid("limit: must be 1 to " + LIMIT_MAX);
    }

    /** Reads the body as JSON. */
    public <T> T body(Class<T> type) throws IOException {
        return Json.read(readBody(), type);
    }

    /** Reads the body as JSON; {@code absent} when there is none. */
    public <T> T body(Class<T> type, Supplier<T> absent) throws IOException {
        byte[] bytes = readBody();
        return bytes.length == 0 ? absent.get() : Json.read(bytes, type);
    }

    /**
     * The whole body, read once.
     *
     * @throws ControlException TOO_LARGE
     * @throws ClientGoneException when it ends too early
     */
    byte[] readBody() {
        byte[] known = body;
        if (known == null) {
            known = bytes();
            body = known;
        }
        return known;
    }

    private byte[] bytes() {
        try (InputStream in = context.bodyAsInputStream()) {
            byte[] bytes = in.readNBytes(BODY_MAX_BYTES + 1);
            if (bytes.length > BODY_MAX_BYTES) {
                throw new ControlException(
                        ControlException.Kind.TOO_LARGE,
                        "the request body is larger than " + BODY_MAX_BYTES + " bytes");
            }
            return bytes;
        } catch (IOException e) {
            throw new ClientGoneException(e);
        }
    }
}
