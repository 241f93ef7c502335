package dev.coppice.common.http;

import com.sun.net.httpserver.Filter;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Function;
import tools.jackson.databind.json.JsonMapper;

/**
 * Answers what no handler should see: a wrong {@code Host}, a method that a path does not have. A client that goes away ends its
 * request and nothing else. For any number of threads.
 */
public final class HttpGuard extends Filter {
    private static final Set<String> HANDLED = Set.of("GET", "POST", "PUT", "PATCH", "DELETE");
    private static final Set<String> OTHERS = Set.of("HEAD", "OPTIONS", "TRACE", "CONNECT");
    private static final int BAD_REQUEST = 400;
    private static final int NOT_FOUND = 404;
    private static final int NOT_ALLOWED = 405;
    private static final int MISDIRECTED = 421;
    private static final int NOT_IMPLEMENTED = 501;
    private static final int NAME_SHOWN = 100;

    private final HostNames hosts;
    private final Function<String, Set<String>> methods;

    /** @param methods of a path; none when there is no such path */
    public HttpGuard(HostNames hosts, Function<String, Set<String>> methods) {
        this.hosts = hosts;
        this.methods = methods;
    }

    @Override
    public String description() {
        return "host names and methods";
    }

    @Override
    public void doFilter(HttpExchange exchange, Chain chain) throws IOException {
        String method = exchange.getRequestMethod();
        List<String> named = exchange.getRequestHeaders().getOrDefault("Host", List.of());
        if (named.size() != 1 && !(named.isEmpty() && exchange.getProtocol().equals("HTTP/1.0"))) {
            refuse(exchange, BAD_REQUEST, "BAD_REQUEST", "a request needs exactly one Host header");
            return;
        }
        if (!named.isEmpty() && !hosts.allow(named.getFirst())) {
            refuse(
                    exchange,
                    MISDIRECTED,
                    "MISDIRECTED",
                    "this server is not called \"" + shown(named.getFirst())
                            + "\": use localhost or an address, or add the name to api.allowed_hosts");
            return;
        }
        if (!HANDLED.contains(method) && !OTHERS.contains(method)) {
            refuse(exchange, NOT_IMPLEMENTED, "NOT_IMPLEMENTED", "there is no method \"" + shown(method) + "\" here");
            return;
        }
        String path = String.valueOf(exchange.getRequestURI().getPath());
        Set<String> known = methods.apply(path);
        if (!known.isEmpty() && !known.contains(method)) {
            String allowed = String.join(", ", new TreeSet<>(known));
            exchange.getResponseHeaders().set("Allow", allowed);
            refuse(
                    exchange,
                    NOT_ALLOWED,
                    "METHOD_NOT_ALLOWED",
                    method + " is no method of " + path + ": it has " + allowed);
            return;
        }
        if (known.isEmpty() && OTHERS.contains(method)) {
            refuse(exchange, NOT_FOUND, "NOT_FOUND", method + " " + path + " is not here");
            return;
        }
        chain.doFilter(exchange);
    }

    private static String shown(String text) {
        return text.length() <= NAME_SHOWN ? text : text.substring(0, NAME_SHOWN) + "...";
    }

    private static void refuse(HttpExchange exchange, int status, String code, String message) throws IOException {
        try (exchange) {
            if (exchange.getRequestMethod().equals("HEAD")) {
                exchange.sendResponseHeaders(status, -1);
                return;
            }
            byte[] body = JsonMapper.shared()
                    .writeValueAsBytes(Map.of(
                            "code", code,
                            "message", message,
                            "request_id", UUID.randomUUID().toString()));
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
        }
    }
}
