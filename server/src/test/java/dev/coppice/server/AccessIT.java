package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** Who gets in, and what nobody gets to see, of a whole server with a log that leaves nothing out. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class AccessIT {
    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private static ServerProcess server;
    private static Api api;
    private static String project;

    @BeforeAll
    static void start() throws IOException {
        server = ServerProcess.start("acc", "logging:", "  level: trace");
        api = new Api(server);
        project = "/projects/" + api.get("/projects").text("/projects/0/id");
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
        HTTP.close();
    }

    /** SQL over HTTP, as npm's serverless driver asks for it. */
    private static HttpResponse<String> sql(String uri, String query) throws Exception {
        int port = URI.create(uri).getPort();
        return HTTP.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/sql"))
                        .header("Neon-Connection-String", uri)
                        .POST(HttpRequest.BodyPublishers.ofString("{\"query\":\"" + query + "\",\"params\":[]}"))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    @Test
    @Order(1)
    void allowed_addresses_hold_for_sql_over_http_too() throws Exception {
        String uri = server.uri("main");
        assertThat(sql(uri, "select 42 as n").body()).contains("42");
        server.cli("ip-allow", "add", "10.0.0.0/8").text();
        HttpResponse<String> refused = sql(uri, "select 42 as n");
        assertThat(refused.statusCode()).isGreaterThanOrEqualTo(400);
        assertThat(refused.body()).contains("not allowed to this branch").doesNotContain("42");
        server.cli("ip-allow", "add", "127.0.0.1").text();
        assertThat(sql(uri, "select 42 as n").body()).contains("42");
        server.cli("ip-allow", "reset").text();
        assertThat(sql(uri, "select 42 as n").statusCode()).isEqualTo(200);
    }

    @Test
    @Order(2)
    void no_secret_is_ever_logged() throws Exception {
        String branch = api.post(project + "/branches", "{\"branch\":{\"name\":\"quiet\"}}")
                .done()
                .text("/branch/id");
        String base = project + "/branches/" + branch;
        String created = api.post(base + "/roles", "{\"role\":{\"name\":\"app\"}}")
                .done()
                .text("/role/password");
        String reset = api.post(base + "/roles/app/reset_password", "").done().text("/role/password");
        String revealed = api.get(base + "/roles/coppice_owner/reveal_password").text("/password");
        String made = api.post("/api_keys", "{\"key_name\":\"more\"}").done().text("/key");
        String own = api.key();
        String cookie = "zenith=" + "c".repeat(40);
        HttpResponse<String> withCookie = HTTP.send(
                HttpRequest.newBuilder(URI.create(api.url() + "/projects"))
                        .header("Cookie", cookie)
                        .header("Authorization", "Bearer " + made)
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(withCookie.statusCode()).isEqualTo(200);
        String wrongKey = "coppice_" + "w".repeat(40);
        assertThat(HTTP.send(
                                HttpRequest.newBuilder(URI.create(api.url() + "/projects"))
                                        .header("Authorization", "Bearer " + wrongKey)
                                        .build(),
                                HttpResponse.BodyHandlers.ofString())
                        .statusCode())
                .isEqualTo(401);
        String uri = api.get(project + "/connection_uri?branch_id=" + branch + "&role_name=app&database_name=coppice")
                .done()
                .text("/uri");
        Programs.psql(uri, "select 1").text();
        String wrongPassword = "not-the-password-of-anybody";
        assertThat(Programs.psql(uri.replace(reset, wrongPassword), "select 1").exitCode())
                .isEqualTo(2);
        assertThat(sql(uri, "select 1").statusCode()).isEqualTo(200);
        api.delete(base + "?hard_delete=true").done();

        List<String> secrets =
                List.of(created, reset, revealed, made, own, cookie, wrongKey, wrongPassword, "SCRAM-SHA-256$");
        for (Path file : logs()) {
            String text = Files.readString(file);
            // The banner of the start shows the key and the password of main to whoever started the server.
            int banner = text.indexOf("Ctrl-C");
            String log = text.substring(Math.max(banner, 0));
            assertThat(log).as(file.toString()).isNotEmpty();
            for (String secret : secrets) {
                assertThat(secret).isNotEmpty();
                assertThat(log.contains(secret)).as("%s has %s", file, secret).isFalse();
            }
        }
    }

    /** What the server and the catalog write, and the audit log. */
    private static List<Path> logs() throws IOException {
        try (var files = Files.walk(server.directory())) {
            return files.filter(file -> file.getFileName().toString().endsWith(".log"))
                    .filter(file -> file.toFile().length() > 0)
                    .toList();
        }
    }

    /** Last: the API is another one afterwards. */
    @Test
    @Order(3)
    void over_https_the_command_line_knows_the_certificate_and_trusts_no_other() throws Exception {
        Path tls = server.data().resolve("tls");
        Path certificate =
                Files.copy(tls.resolve("server.crt"), server.directory().resolve("api.crt"));
        Path key = Files.copy(tls.resolve("server.key"), server.directory().resolve("api.key"));
        server.reconfigure(text ->
                text.replace("api:\n", "api:\n  tls:\n    certificate: " + certificate + "\n    key: " + key + "\n"));
        server.stop();
        server.restart();
        assertThat(api.url()).startsWith("https://");
        assertThat(server.cli("branches", "list").text()).contains("main");
        assertThat(Programs.psql(server.uri("main"), "select 1").text()).isEqualTo("1");
        // The pinned file names another certificate: somebody sits in between, as far as the client can tell.
        Path other = server.directory().resolve("other");
        Files.createDirectory(other);
        assertThat(Programs.succeeds(
                        "openssl",
                        "req",
                        "-x509",
                        "-newkey",
                        "rsa:2048",
                        "-nodes",
                        "-subj",
                        "/CN=localhost",
                        "-keyout",
                        other.resolve("key.pem").toString(),
                        "-out",
                        other.resolve("cert.pem").toString()))
                .isTrue();
        Files.move(other.resolve("cert.pem"), certificate, StandardCopyOption.REPLACE_EXISTING);
        Programs.Result refused = server.cli("branches", "list");
        assertThat(refused.exitCode()).isEqualTo(3);
        assertThat(refused.error()).contains("certificate");
        // And nobody talks plain HTTP there.
        assertThat(Programs.succeeds("curl", "-sf", api.url().replace("https", "http") + "/projects"))
                .isFalse();
    }
}
