package dev.coppice.cli.api;

import dev.coppice.cli.output.CliException;
import dev.coppice.cli.output.Spinner;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Calls the REST API, one blocking call at a time, and turns what is not a success into a {@link CliException}. */
public final class ApiClient implements AutoCloseable {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
    /** Longer than the slowest call: creating a branch answers only when it can be connected to. */
    private static final Duration CALL_TIMEOUT = Duration.ofMinutes(5);

    /** Until the first line: the server sends progress long before. */
    private static final Duration LINES_TIMEOUT = Duration.ofMinutes(10);

    private static final int NOT_FOUND = 404;
    private static final int LOCKED = 423;
    private static final int TRIES_WHEN_LOCKED = 5;
    private static final Duration WAIT_WHEN_LOCKED = Duration.ofSeconds(1);

    private final ApiAddress address;
    private final PrintWriter err;
    private final HttpClient http;

    /** @param err where a person is told to wait */
    ApiClient(ApiAddress address, PrintWriter err) {
        this.err = err;
        this.address = address;
        HttpClient.Builder builder =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT_TIMEOUT);
        if (address.certificate() != null) {
            builder.sslContext(PinnedCertificate.context(address.certificate()));
        } else if ("http".equals(address.base().getScheme())) {
            // The default one reads every authority that the JDK trusts, which takes longer than a call.
            builder.sslContext(PinnedCertificate.none());
        }
        this.http = builder.build();
    }

    /** One path segment, or one query value, as it must stand in an URL. */
    public static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    public JsonNode get(String path) {
        return call("GET", path, null);
    }

    /** As {@link #get}; a missing node when there is nothing at the path. */
    public JsonNode getIfThere(String path) {
        HttpResponse<String> response = send(request("GET", path, null, CALL_TIMEOUT), BodyHandlers.ofString());
        JsonNode answer = response.statusCode() == NOT_FOUND ? null : parse(response.body());
        return answer == null || response.statusCode() / 100 != 2
                ? JsonMapper.shared().missingNode()
                : answer;
    }

    public JsonNode post(String path, @Nullable JsonNode body) {
        return call("POST", path, body);
    }

    public JsonNode put(String path, JsonNode body) {
        return call("PUT", path, body);
    }

    public JsonNode patch(String path, JsonNode body) {
        return call("PATCH", path, body);
    }

    public JsonNode delete(String path) {
        return call("DELETE", path, null);
    }

    /** Gives the lines of an answer that takes a while to {@code consumer}, each when it arrives. */
    public void lines(String path, Consumer<JsonNode> consumer) {
        HttpResponse<Stream<String>> response = send(request("GET", path, null, LINES_TIMEOUT), BodyHandlers.ofLines());
        try (Stream<String> lines = response.body()) {
            if (response.statusCode() / 100 != 2) {
                throw refusal(response.statusCode(), parse(lines.collect(Collectors.joining("\n"))));
            }
            lines.filter(line -> !line.isBlank()).forEach(line -> {
                JsonNode parsed = parse(line);
                if (parsed == null) {
                    throw refusal(response.statusCode(), null);
                }
                consumer.accept(parsed);
            });
        } catch (java.io.UncheckedIOException e) {
            throw broken(e);
        }
    }

    private HttpRequest request(String method, String path, @Nullable JsonNode body, Duration timeout) {
        return HttpRequest.newBuilder(URI.create(address.base() + path))
                .timeout(timeout)
                .header("Authorization", "Bearer " + address.key())
                .header("Accept", "application/json")
                .header("Content-Type", "application/json")
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body.toString()))
                .build();
    }

    /** The answer's JSON; a missing node when it has no body. */
    private JsonNode call(String method, String path, @Nullable JsonNode body) {
        try (Spinner _ = Spinner.begin(err)) {
            return answer(method, path, body);
        }
    }

    private JsonNode answer(String method, String path, @Nullable JsonNode body) {
        HttpRequest request = request(method, path, body, CALL_TIMEOUT);
        HttpResponse<String> response = send(request, BodyHandlers.ofString());
        for (int tries = 1; response.statusCode() == LOCKED && tries < TRIES_WHEN_LOCKED; tries++) {
            pause(WAIT_WHEN_LOCKED);
            response = send(request, BodyHandlers.ofString());
        }
        JsonNode answer = parse(response.body());
        if (response.statusCode() / 100 == 2 && answer != null) {
            return answer;
        }
        throw refusal(response.statusCode(), answer);
    }

    private <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> handler) {
        try {
            return http.send(request, handler);
        } catch (java.net.http.HttpTimeoutException e) {
            throw new CliException(
                    CliException.UNREACHABLE, "the server at " + address + " did not answer in time", null);
        } catch (java.net.ConnectException | java.nio.channels.UnresolvedAddressException e) {
            throw new CliException(
                    CliException.UNREACHABLE, "no server answers at " + address, "start it with ./coppice up");
        } catch (IOException e) {
            throw broken(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException(CliException.REFUSED, "interrupted", null);
        }
    }

    private CliException broken(Exception e) {
        return new CliException(
                CliException.UNREACHABLE,
                "the connection to " + address + " broke: " + e.getMessage(),
                "is a Coppice server listening there?");
    }

    public static void pause(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException(CliException.REFUSED, "interrupted", null);
        }
    }

    /** Null when the body is not JSON. */
    private static @Nullable JsonNode parse(String body) {
        try {
            return JsonMapper.shared().readTree(body);
        } catch (JacksonException notJson) {
            return null;
        }
    }

    private CliException refusal(int status, @Nullable JsonNode answer) {
        if (status == 401) {
            return new CliException(
                    CliException.REFUSED,
                    "the server at " + address + " refused the API key",
                    "pass --api-key or set COPPICE_API_KEY; the first key is in cli.json of the server's data directory");
        }
        String message = answer == null ? "" : answer.path("message").asString("");
        if (message.isEmpty()) {
            return new CliException(
                    CliException.REFUSED,
                    "an answer that is not Coppice's came from " + address + " (HTTP " + status + ")",
                    "is another program listening there?");
        }
        return new CliException(CliException.REFUSED, OptionNames.in(message), null);
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
