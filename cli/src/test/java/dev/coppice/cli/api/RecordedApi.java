package dev.coppice.cli.api;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** A real HTTP server that gives recorded answers and remembers what it was asked. */
public final class RecordedApi implements AutoCloseable {
    public static final String KEY = "napi_recorded";

    private record Answer(int status, String body) {}

    private final HttpServer server;
    private final Map<String, Deque<Answer>> answers = new HashMap<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();

    public RecordedApi() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/", this::handle);
        server.start();
    }

    public String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** Answers {@code METHOD /path?query} under /api/v2; several answers are given in turn, the last one for ever. */
    public RecordedApi on(String request, int status, String body) {
        answers.computeIfAbsent(request, _ -> new ArrayDeque<>()).add(new Answer(status, body));
        return this;
    }

    /** Each request as {@code METHOD /path?query} or {@code METHOD /path body}. */
    public List<String> requests() {
        return requests;
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            String request = exchange.getRequestMethod() + " "
                    + exchange.getRequestURI().toString().replaceFirst("^/api/v2", "");
            requests.add(body.isEmpty() ? request : request + " " + body);
            Answer answer = next(request);
            if (!("Bearer " + KEY).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
                answer = new Answer(401, "{\"code\":\"\",\"message\":\"authentication required\"}");
            }
            byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().add("Content-Type", "application/json");
            exchange.sendResponseHeaders(answer.status(), bytes.length == 0 ? -1 : bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    private synchronized Answer next(String request) {
        Deque<Answer> left = answers.get(request);
        if (left == null) {
            return new Answer(404, "{\"code\":\"\",\"message\":\"not recorded: " + request + "\"}");
        }
        return left.size() > 1 ? left.removeFirst() : left.getFirst();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
