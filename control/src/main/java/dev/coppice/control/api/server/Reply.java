package dev.coppice.control.api.server;

import java.util.Map;

/** What a handler answers: a status, an object that becomes JSON, and headers besides those that every answer has. */
public record Reply(int status, Object body, Map<String, String> headers) {
    public Reply(int status, Object body) {
        this(status, body, Map.of());
    }

    public static Reply ok(Object body) {
        return new Reply(200, body);
    }

    public static Reply created(Object body) {
        return new Reply(201, body);
    }

    public static Reply accepted(Object body) {
        return new Reply(202, body);
    }

    /** The same with a header of its own. */
    public Reply with(String header, String value) {
        return new Reply(status, body, Map.of(header, value));
    }
}
