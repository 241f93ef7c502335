package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.control.ControlFixture.Answer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Signing in at the console, and what a session of it opens to whom. */
class ConsoleIT {
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final String[] OWN_PAGE = {"X-Coppice", "1", "Sec-Fetch-Site", "same-origin"};

    private static ControlFixture fixture;
    private static String api;
    private static String key;

    @BeforeAll
    static void open() throws IOException {
        fixture = new ControlFixture(-1);
        api = fixture.control.welcome().apiUrl();
        key = fixture.control.welcome().apiKey();
    }

    @AfterAll
    static void close() throws IOException {
        fixture.close();
    }

    private static HttpResponse<String> send(String method, String url, String... headers) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(url)).method(method, HttpRequest.BodyPublishers.noBody());
        if (headers.length > 0) {
            request.headers(headers);
        }
        try {
            return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new IllegalStateException(method + " " + url, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static JsonNode json(HttpResponse<String> response) {
        return JsonMapper.shared().readTree(response.body());
    }

    /** Signs in with a key or a link's secret; answers the cookie, as a browser sends it. */
    private static String signIn(String secret, @Nullable String cookie) {
        HttpResponse<String> response = cookie == null
                ? send("POST", api + "/console/sessions", "Authorization", "Bearer " + secret)
                : send("POST", api + "/console/sessions", "Authorization", "Bearer " + secret, "Cookie", cookie);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(201);
        String set = response.headers().firstValue("Set-Cookie").orElseThrow();
        assertThat(set).contains("; HttpOnly", "; SameSite=Strict", "; Path=/", "; Max-Age=604800");
        return set.substring(0, set.indexOf(';'));
    }

    private static HttpResponse<String> with(String cookie, String method, String path, String... headers) {
        String[] all = new String[headers.length + 2];
        System.arraycopy(headers, 0, all, 2, headers.length);
        all[0] = "Cookie";
        all[1] = cookie;
        return send(method, api + path, all);
    }

    @Test
    void a_key_becomes_a_session_that_does_what_the_key_may() {
        String cookie = signIn(key, null);
        assertThat(with(cookie, "GET", "/projects", OWN_PAGE).statusCode()).isEqualTo(200);
        JsonNode session =
                json(with(cookie, "GET", "/console/session", OWN_PAGE)).at("/session");
        assertThat(session.at("/key_name").asString()).isEqualTo("cli");
        assertThat(session.at("/scope").asString()).isEqualTo("full");
        assertThat(session.at("/current").asBoolean()).isTrue();
        assertThat(cookie).doesNotContain(key);
    }

    @Test
    void a_request_that_does_not_come_from_the_consoles_own_page_is_refused_with_a_session() {
        String cookie = signIn(key, null);
        assertThat(with(cookie, "GET", "/projects").statusCode()).isEqualTo(403);
        assertThat(with(cookie, "POST", "/console/links", "X-Coppice", "1", "Sec-Fetch-Site", "cross-site")
                        .statusCode())
                .isEqualTo(403);
        assertThat(with(cookie, "POST", "/console/links", "X-Coppice", "1", "Sec-Fetch-Site", "same-site")
                        .statusCode())
                .isEqualTo(403);
        assertThat(with(cookie, "POST", "/console/links", "X-Coppice", "1", "Origin", "http://evil.example")
                        .statusCode())
                .isEqualTo(403);
        assertThat(with(cookie, "POST", "/console/links", "Sec-Fetch-Site", "same-origin")
                        .statusCode())
                .isEqualTo(403);
        String origin = api.substring(0, api.indexOf("/api/"));
        assertThat(with(cookie, "POST", "/console/links", "X-Coppice", "1", "Origin", origin)
                        .statusCode())
                .isEqualTo(201);
    }

    @Test
    void who_signs_in_never_gets_a_session_that_was_there_before() {
        String planted = signIn(key, null);
        String own = signIn(key, planted);
        assertThat(own).isNotEqualTo(planted);
        assertThat(with(own, "GET", "/projects", OWN_PAGE).statusCode()).isEqualTo(200);
        String name = own.substring(0, own.indexOf('='));
        assertThat(with(name + "=planted", "GET", "/projects", OWN_PAGE).statusCode())
                .isEqualTo(401);
    }

    @Test
    void signing_out_ends_the_session_and_so_does_revoking_it_or_its_key() {
        String first = signIn(key, null);
        HttpResponse<String> out = with(first, "DELETE", "/console/session", OWN_PAGE);
        assertThat(out.statusCode()).isEqualTo(200);
        assertThat(out.headers().firstValue("Set-Cookie").orElseThrow()).contains("; Max-Age=0");
        assertThat(with(first, "GET", "/projects", OWN_PAGE).statusCode()).isEqualTo(401);

        String second = signIn(key, null);
        long id = json(with(second, "GET", "/console/session", OWN_PAGE))
                .at("/session/id")
                .asLong();
        assertThat(fixture.delete("/console/sessions/" + id).status()).isEqualTo(200);
        assertThat(with(second, "GET", "/projects", OWN_PAGE).statusCode()).isEqualTo(401);

        Answer made = fixture.post("/api_keys", "{\"key_name\":\"gone-soon\"}");
        String third = signIn(made.text("/key"), null);
        assertThat(with(third, "GET", "/projects", OWN_PAGE).statusCode()).isEqualTo(200);
        assertThat(fixture.delete("/api_keys/" + made.body().at("/id").asLong()).status())
                .isEqualTo(200);
        assertThat(with(third, "GET", "/projects", OWN_PAGE).statusCode()).isEqualTo(401);
    }

    @Test
    void a_link_signs_in_once_with_the_rights_of_the_key_that_asked_for_it_and_opens_nothing_else() {
        String project = fixture.get("/projects").text("/projects/0/id");
        String of = fixture.post(
                        "/api_keys",
                        "{\"key_name\":\"narrow\",\"project_id\":\"" + project + "\",\"scope\":\"anonymized\"}")
                .text("/key");
        HttpResponse<String> link = send("POST", api + "/console/links", "Authorization", "Bearer " + of);
        assertThat(link.statusCode()).as(link.body()).isEqualTo(201);
        String path = json(link).at("/path").asString();
        String secret = path.substring(path.indexOf('=') + 1);
        assertThat(send("GET", api + "/projects", "Authorization", "Bearer " + secret)
                        .statusCode())
                .isEqualTo(401);
        String cookie = signIn(secret, null);
        assertThat(json(with(cookie, "GET", "/console/session", OWN_PAGE))
                        .at("/session/scope")
                        .asString())
                .isEqualTo("anonymized");
        assertThat(with(cookie, "GET", "/api_keys", OWN_PAGE).statusCode()).isEqualTo(403);
        assertThat(json(with(cookie, "GET", "/console/sessions", OWN_PAGE)).at("/sessions"))
                .hasSize(1);
        assertThat(send("POST", api + "/console/sessions", "Authorization", "Bearer " + secret)
                        .statusCode())
                .isEqualTo(401);
    }

    @Test
    void the_page_lets_no_script_in_and_no_other_page_around_it() {
        String base = api.substring(0, api.indexOf("/api/"));
        for (String path : new String[] {"/console/", "/console/projects/any/branches"}) {
            HttpResponse<String> page = send("GET", base + path);
            String policy = page.headers().firstValue("Content-Security-Policy").orElseThrow();
            assertThat(policy)
                    .contains("default-src 'none'", "script-src 'self';", "frame-ancestors 'none'")
                    .doesNotContain("unsafe");
            assertThat(page.headers().firstValue("X-Frame-Options")).contains("DENY");
            assertThat(page.headers().firstValue("Cache-Control")).contains("no-store");
        }
        HttpResponse<String> root = send("GET", base + "/");
        assertThat(root.headers().firstValue("Location")).contains("/console/");
        assertThat(send("GET", base + "/console/assets/none.js").statusCode()).isEqualTo(404);
        assertThat(send("GET", base + "/consoles").statusCode()).isIn(401, 404);
    }
}
