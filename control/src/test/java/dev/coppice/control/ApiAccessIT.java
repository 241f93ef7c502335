package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.coppice.control.ControlFixture.Answer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Who may do what: keys, their scopes, and what is written down about their use. */
class ApiAccessIT {
    private static ControlFixture fixture;
    private static String first;
    private static String second;

    @BeforeAll
    static void open() throws IOException {
        fixture = new ControlFixture(-1);
        first = fixture.get("/projects").text("/projects/0/id");
        second =
                fixture.post("/projects", "{\"project\":{\"name\":\"second\"}}").text("/project/id");
    }

    @AfterAll
    static void close() throws IOException {
        fixture.close();
    }

    private record Key(long id, String secret) {
        Answer call(String method, String path, @Nullable String body) {
            return fixture.call(method, path, body, Optional.of(secret));
        }

        int get(String path) {
            return call("GET", path, null).status();
        }
    }

    private static Key key(String body) {
        Answer made = fixture.post("/api_keys", body);
        assertThat(made.status()).as(made.body().toString()).isEqualTo(200);
        return new Key(made.body().at("/id").asLong(), made.text("/key"));
    }

    @Test
    void a_key_of_a_project_opens_that_project_only() {
        Key key = key("{\"key_name\":\"ci\",\"project_id\":\"" + first + "\"}");
        assertThat(key.get("/projects/" + first)).isEqualTo(200);
        assertThat(key.get("/projects/" + first + "/branches")).isEqualTo(200);
        assertThat(key.get("/users/me")).isEqualTo(200);
        assertThat(key.get("/storage/projects/" + first + "/stats")).isEqualTo(200);
        JsonNode listed = key.call("GET", "/projects", null).body().at("/projects");
        assertThat(listed).hasSize(1);
        assertThat(listed.at("/0/id").asString()).isEqualTo(first);

        Answer other = key.call("GET", "/projects/" + second, null);
        Answer none = key.call("GET", "/projects/no-such-project", null);
        assertThat(other.status()).isEqualTo(404);
        assertThat(other.text("/message").replace(second, ""))
                .isEqualTo(none.text("/message").replace("no-such-project", ""));
        assertThat(key.get("/projects/" + second + "/branches")).isEqualTo(404);
        assertThat(key.get("/storage/projects/" + second + "/stats")).isEqualTo(404);

        assertThat(key.get("/api_keys")).isEqualTo(403);
        assertThat(key.get("/storage/stats")).isEqualTo(403);
        assertThat(key.get("/storage/verify")).isEqualTo(403);
        assertThat(key.call("POST", "/projects", "{\"project\":{}}").status()).isEqualTo(403);
        assertThat(key.call("POST", "/api_keys", "{\"key_name\":\"more\"}").status())
                .isEqualTo(403);
        assertThat(key.call("DELETE", "/projects/" + first, null).status()).isEqualTo(403);
        String foreign = fixture.get("/projects/" + second + "/branches").text("/branches/0/id");
        assertThat(key.get("/projects/" + first + "/branches/" + foreign)).isEqualTo(404);
    }

    @Test
    void a_revoked_key_opens_nothing_and_its_last_use_is_known() {
        Key key = key("{\"key_name\":\"short-lived\"}");
        assertThat(key.get("/projects")).isEqualTo(200);
        await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> {
            JsonNode listed = fixture.get("/api_keys")
                    .body()
                    .valueStream()
                    .filter(item -> item.at("/id").asLong() == key.id())
                    .findFirst()
                    .orElseThrow();
            assertThat(listed.at("/last_used_at").asString("")).isNotEmpty();
            assertThat(listed.at("/last_used_from_addr").asString()).isEqualTo("127.0.0.1");
            assertThat(listed.toString()).doesNotContain(key.secret());
        });
        assertThat(fixture.delete("/api_keys/" + key.id()).status()).isEqualTo(200);
        assertThat(key.get("/projects")).isEqualTo(401);
    }

    @Test
    void every_change_and_every_reading_of_a_secret_is_in_the_audit_log() throws IOException {
        Key key = key("{\"key_name\":\"auditor\"}");
        String branches = "/projects/" + first + "/branches";
        Answer made = key.call("POST", branches, "{\"branch\":{\"name\":\"audited\"}}");
        assertThat(made.status()).isEqualTo(201);
        String branch = branches + "/" + made.text("/branch/id");
        assertThat(key.call("POST", branches, "{\"branch\":{\"name\":\"audited\"}}")
                        .status())
                .isEqualTo(409);
        Answer password = key.call("GET", branch + "/roles/coppice_owner/reveal_password", null);
        assertThat(key.get(branch)).isEqualTo(200);
        assertThat(key.call("DELETE", branch, null).status()).isEqualTo(200);

        Path file = fixture.data.resolve("audit.log");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        String text = Files.readString(file);
        assertThat(text).doesNotContain(key.secret()).doesNotContain(password.text("/password"));
        List<JsonNode> lines = text.lines()
                .map(line -> JsonMapper.shared().readTree(line))
                .filter(line -> line.at("/key_id").asLong() == key.id())
                .toList();
        assertThat(lines.stream()
                        .map(line -> line.at("/method").asString() + " "
                                + line.at("/status").asInt()))
                .containsExactly("POST 201", "POST 409", "GET 200", "DELETE 200");
        assertThat(lines.get(1).at("/message").asString()).contains("already exists");
        assertThat(lines.get(3).at("/path").asString()).endsWith(branch);
        assertThat(lines.getFirst().at("/key_name").asString()).isEqualTo("auditor");
        assertThat(lines.getFirst().at("/address").asString()).isEqualTo("127.0.0.1");
    }

    @Test
    void the_api_describes_every_route_that_it_has_and_no_other() {
        assertThat(fixture.control.api().descriptionMismatches()).isEmpty();
        Answer document = fixture.call("GET", "/openapi.json", null, Optional.empty());
        assertThat(document.status()).isEqualTo(200);
        assertThat(document.text("/openapi")).startsWith("3.0");
        assertThat(document.body()
                        .at("/paths/~1projects~1{project}~1branches/post/summary")
                        .asString())
                .isNotEmpty();
        assertThat(document.body().at("/components/schemas/Branch/required").toString())
                .contains("\"project_id\"")
                .doesNotContain("parent_lsn");
    }
}
