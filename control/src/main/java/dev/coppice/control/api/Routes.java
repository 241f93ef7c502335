package dev.coppice.control.api;

import io.avaje.jex.Jex;
import io.avaje.jex.http.Context;

/** Registers handlers that answer with a {@link Reply}. */
final class Routes {
    private static final String BASE = "/api/v2";

    private final Jex jex;

    Routes(Jex jex) {
        this.jex = jex;
    }

    /** Answers one request; what it throws becomes an error answer. */
    interface Handler {
        Reply handle(Call call) throws Exception;
    }

    void get(String path, Handler handler) {
        jex.get(BASE + path, context -> answer(context, handler));
    }

    /** Answers one request with line after line of JSON; what it throws before the first becomes an error answer. */
    interface LineHandler {
        void handle(Call call, Lines lines) throws Exception;
    }

    /** A route whose answer takes a while: NDJSON, each line sent when it is known. */
    void lines(String path, LineHandler handler) {
        jex.get(BASE + path, context -> {
            try (Lines lines = new Lines(context)) {
                handler.handle(new Call(context), lines);
            }
        });
    }

    void post(String path, Handler handler) {
        jex.post(BASE + path, context -> answer(context, handler));
    }

    void put(String path, Handler handler) {
        jex.put(BASE + path, context -> answer(context, handler));
    }

    void patch(String path, Handler handler) {
        jex.patch(BASE + path, context -> answer(context, handler));
    }

    void delete(String path, Handler handler) {
        jex.delete(BASE + path, context -> answer(context, handler));
    }

    private static void answer(Context context, Handler handler) throws Exception {
        Reply reply = handler.handle(new Call(context));
        send(context, reply.status(), reply.body());
    }

    static void send(Context context, int status, Object body) {
        context.status(status).contentType("application/json").write(Json.write(body));
    }
}
