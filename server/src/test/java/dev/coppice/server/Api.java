package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The REST API of a server process, with the key that it left for its own command line. */
final class Api {
    private static final JsonMapper JSON = JsonMapper.shared();

    private final ServerProcess server;
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    Api(ServerProcess server) {
        this.server = server;
    }

    record Answer(int status, JsonNode body) {
        String text(String pointer) {
            return body.at(pointer).asString("");
        }

        /** The same, of a request that must have been done. */
        Answer done() {
            assertThat(status).as(body.toString()).isBetween(200, 299);
            return this;
        }
    }

    Answer get(String path) throws IOException {
        return call("GET", path, null);
    }

    Answer post(String path, String body) throws IOException {
        return call("POST", path, body);
    }

    Answer patch(String path, String body) throws IOException {
        return call("PATCH", path, body);
    }

    Answer delete(String path) throws IOException {
        return call("DELETE", path, null);
    }

    String url() throws IOException {
        return access().path("apiUrl").asString();
    }

    String key() throws IOException {
        return access().path("apiKey").asString();
    }

    private JsonNode access() throws IOException {
        return JSON.readTree(Files.readAllBytes(server.data().resolve("cli.json")));
    }

    /** @throws IOException when the server ends before it answers */
    Answer call(String method, String path, @Nullable String body) throws IOException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url() + path))
                .header("Authorization", "Bearer " + key())
                .method(
                        method,
                        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body))
                .build();
        try {
            HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
            return new Answer(response.statusCode(), JSON.readTree(response.body()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
