package dev.coppice.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.coppice.proxy.http.HttpSettings;
import dev.coppice.proxy.pool.PoolSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** SQL over HTTP, with a real Postgres behind it. */
@Timeout(60)
class HttpIT {
    private static final String DATABASE = "postgresql://alice:correct%20horse@ep-main-1.localhost/shop";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient CLIENT =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @RegisterExtension
    static final ProxyFixture fixture = new ProxyFixture();

    private record Answer(int status, JsonNode json, Map<String, List<String>> headers) {
        JsonNode rows() {
            assertThat(status).as(json.toString()).isEqualTo(200);
            return json.get("rows");
        }

        String value() {
            return rows().get(0).get(0).asString();
        }

        String code() {
            assertThat(status).as(json.toString()).isEqualTo(400);
            return json.get("code").asString();
        }
    }

    @AfterAll
    static void stop() {
        CLIENT.close();
    }

    private static Answer post(String uri, String database, String body, String... headers) throws Exception {
        return post(CLIENT, uri, database, body, headers);
    }

    private static Answer post(HttpClient client, String uri, String database, String body, String... headers)
            throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(uri))
                .timeout(Duration.ofSeconds(30))
                .header("Neon-Connection-String", database)
                .POST(HttpRequest.BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        HttpResponse<String> response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        return new Answer(
                response.statusCode(),
                JSON.readTree(response.body()),
                response.headers().map());
    }

    private static String url() {
        return "http://127.0.0.1:" + fixture.port() + "/sql";
    }

    /** As the npm package sends it. */
    private static Answer sql(String query, Object... parameters) throws Exception {
        return post(
                url(), DATABASE, body(query, parameters), "Neon-Raw-Text-Output", "true", "Neon-Array-Mode", "true");
    }

    private static String body(String query, Object... parameters) {
        return JSON.writeValueAsString(Map.of("query", query, "params", List.of(parameters)));
    }

    private static Answer batch(List<String> queries, String... headers) throws Exception {
        List<String> all = new ArrayList<>(List.of(headers));
        all.addAll(List.of("Neon-Raw-Text-Output", "true", "Neon-Array-Mode", "true"));
        return post(url(), DATABASE, batchBody(queries), all.toArray(String[]::new));
    }

    private static String batchBody(List<String> queries) {
        return JSON.writeValueAsString(Map.of(
                "queries",
                queries.stream()
                        .map(each -> Map.of("query", each, "params", List.of()))
                        .toList()));
    }

    @Test
    void a_query_is_answered_with_everything_that_a_driver_shows() throws Exception {
        Answer answer = sql("select $1::int as n, $2 as t, null as nothing, 'a\"\\\n\u0001é' as odd", "7", "text");
        assertThat(answer.rows().toString()).isEqualTo("[[\"7\",\"text\",null,\"a\\\"\\\\\\n\\u0001é\"]]");
        assertThat(answer.json().get("command").asString()).isEqualTo("SELECT");
        assertThat(answer.json().get("rowCount").asInt()).isEqualTo(1);
        assertThat(answer.json().get("rowAsArray").asBoolean()).isTrue();
        assertThat(answer.json().get("fields").get(0).toString())
                .isEqualTo("{\"name\":\"n\",\"dataTypeID\":23,\"tableID\":0,\"columnID\":0,\"dataTypeSize\":4,"
                        + "\"dataTypeModifier\":-1,\"format\":\"text\"}");
        assertThat(answer.headers()).containsKey("neon-request-id");
    }

    @Test
    void values_become_json_where_the_client_does_not_ask_for_text() throws Exception {
        Answer answer = post(url(), DATABASE, body("""
                select 1::int2 as i, 2.5::float8 as f, 'NaN'::float8 as nan, 9007199254740993 as big, true as b,
                       '{"k": [1]}'::jsonb as j, array[1, null, 3] as ints, array[['a"', 'b,'], [null, 'NULL']] as texts,
                       array['{"x":1}'::jsonb] as jsons, '[0:1]={5,6}'::int[] as shifted, 1.10::numeric as exact"""));
        assertThat(answer.rows().get(0).toString())
                .isEqualTo("{\"i\":1,\"f\":2.5,\"nan\":\"NaN\",\"big\":\"9007199254740993\",\"b\":true,"
                        + "\"j\":{\"k\":[1]},\"ints\":[1,null,3],\"texts\":[[\"a\\\"\",\"b,\"],[null,\"NULL\"]],"
                        + "\"jsons\":[{\"x\":1}],\"shifted\":[5,6],\"exact\":\"1.10\"}");
    }

    @Test
    void parameters_may_be_any_json() throws Exception {
        Answer answer = post(
                url(),
                DATABASE,
                "{\"query\":\"select $1::int, $2::bool, $3::text, $4::jsonb, $5::text[], $6::int[]\","
                        + "\"params\":[12, true, null, {\"a\":[1,\"x\"]}, [\"q\\\"\\\\\", null, \"b\"], [[1,2],[3,4]]]}",
                "Neon-Array-Mode",
                "true");
        assertThat(answer.rows().get(0).toString())
                .isEqualTo("[12,true,null,{\"a\":[1,\"x\"]},[\"q\\\"\\\\\",null,\"b\"],[[1,2],[3,4]]]");
    }

    @Test
    void statements_without_rows_say_what_they_did() throws Exception {
        assertThat(sql("create table counted (n int)").json().get("rowCount").isNull())
                .isTrue();
        Answer inserted = sql("insert into counted select generate_series(1, 5)");
        assertThat(inserted.rows().isEmpty()).isTrue();
        assertThat(inserted.json().get("command").asString()).isEqualTo("INSERT");
        assertThat(inserted.json().get("rowCount").asInt()).isEqualTo(5);
        assertThat(sql("").status()).isEqualTo(200);
    }

    @Test
    void an_error_comes_with_the_fields_of_postgres() throws Exception {
        sql("create table strict_one (n int constraint small check (n < 10))");
        Answer violated = sql("insert into strict_one values ($1)", "11");
        assertThat(violated.code()).isEqualTo("23514");
        assertThat(violated.json().get("constraint").asString()).isEqualTo("small");
        assertThat(violated.json().get("table").asString()).isEqualTo("strict_one");
        assertThat(violated.json().get("message").asString()).contains("violates check constraint");
        Answer syntax = sql("selec 1");
        assertThat(syntax.code()).isEqualTo("42601");
        assertThat(syntax.json().get("position").asString()).isEqualTo("1");
        assertThat(sql("select 1; select 2").code()).isEqualTo("42601");
        assertThat(sql("copy strict_one from stdin").code()).isEqualTo("0A000");
        assertThat(sql("select 'still there'").value()).isEqualTo("still there");
    }

    @Test
    void requests_that_are_none_say_what_is_wrong() throws Exception {
        assertThat(post(url(), DATABASE, "{").json().get("message").asString()).contains("not JSON");
        assertThat(post(url(), DATABASE, "[]").json().get("message").asString()).contains("not a JSON object");
        assertThat(post(url(), DATABASE, "{}").json().get("message").asString()).contains("no \"query\"");
        assertThat(post(url(), "mysql://a:b@c/d", "{}").json().get("message").asString())
                .contains("postgresql://");
        assertThat(post(url(), "postgresql://alice@localhost/shop", "{}")
                        .json()
                        .get("message")
                        .asString())
                .contains("no password");
        assertThat(post(url(), DATABASE, "{}", "Authorization", "Bearer x")
                        .json()
                        .get("message")
                        .asString())
                .contains("password");
        assertThat(post(url().replace("/sql", "/other"), DATABASE, "{}").status())
                .isEqualTo(404);
    }

    @Test
    void what_could_be_read_in_two_ways_is_refused() throws Exception {
        String login = "Neon-Connection-String: " + DATABASE + "\r\n";
        String length = "Content-Length: 20\r\n";
        for (String headers : List.of(
                login + login.replace("alice", "bob") + length,
                login + length.replace("20", "99999999999999999999"),
                login + length + "Neon-Batch-Read-Only: true\r\nNeon-Batch-Read-Only: false\r\n",
                login + "Transfer-Encoding: gzip, chunked\r\n",
                login + "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
                login + "Transfer-Encoding: identity\r\n")) {
            assertThat(raw(headers, headers.contains(length) ? "{\"queries\":[]       }" : ""))
                    .as(headers)
                    .startsWith("HTTP/1.1 400 ");
        }
        assertThat(post(url(), DATABASE, "{\"query\":\"select 1\",\"query\":\"select 2\"}")
                        .json()
                        .toString())
                .contains("twice");
    }

    @Test
    void a_body_that_will_be_too_large_is_refused_before_it_comes() throws Exception {
        String login = "Neon-Connection-String: " + DATABASE + "\r\n";
        assertThat(raw(login + "Content-Length: 99999999999\r\n", "")).startsWith("HTTP/1.1 413 ");
        assertThat(raw(login + "Content-Length: 99999999999\r\nExpect: 100-continue\r\n", ""))
                .startsWith("HTTP/1.1 413 ");
    }

    /** Everything that comes back until the connection is closed. */
    private static String raw(String headers, String body) throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), fixture.port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write(("POST /sql HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers + "\r\n" + body)
                            .getBytes(UTF_8));
            return new String(socket.getInputStream().readAllBytes(), UTF_8);
        }
    }

    @Test
    void whoever_is_not_let_in_wakes_nothing_and_learns_nothing() throws Exception {
        String right = DATABASE;
        List<String> refused = List.of(
                right.replace("correct", "wrong"),
                right.replace("ep-main-1", "ep-unknown-9"),
                right.replace("alice", "nobody"),
                right.replace("alice", "coppice_admin"));
        for (String each : refused) {
            Answer answer = post(url(), each, body("select 1"));
            assertThat(answer.code()).isEqualTo("28P01");
            assertThat(answer.json().get("message").asString()).startsWith("password authentication failed for user");
            assertThat(answer.json().get("hint").asString())
                    .startsWith("Check the password, the role, and the endpoint or branch the connection names.");
        }
        assertThat(fixture.directory.wakes).hasValue(0);
    }

    @Test
    void the_endpoint_may_be_named_by_options_or_behind_the_database() throws Exception {
        String base = "postgresql://alice:correct%20horse@127.0.0.1:5432/shop";
        for (String each : List.of(base, base + "@dev", base + "?options=endpoint%3Dep-dev-2&sslmode=require")) {
            assertThat(post(url(), each, body("select 1"), "Neon-Array-Mode", "true")
                            .value())
                    .isEqualTo("1");
        }
        assertThat(post(url(), base + "@main@0/16B3748", body("select 1")).status())
                .isEqualTo(200);
        assertThat(fixture.directory.woken).contains("ep-dev-2", "ep-main-1@0/16B3748");
        assertThat(post(url(), base + "@dev?options=endpoint%3Dep-main-1", body("select 1"))
                        .code())
                .isEqualTo("28P01");
        assertThat(post(url(), base + "@ep-dev-2?options=endpoint%3Dep-main-1", body("select 1"))
                        .code())
                .isEqualTo("08P01");
        assertThat(post(url(), base.replace("shop", "nowhere"), body("select 1"))
                        .code())
                .isEqualTo("3D000");
    }

    @Test
    void a_batch_is_one_transaction() throws Exception {
        sql("create table batched (n int primary key deferrable initially deferred)");
        Answer done = batch(List.of(
                "insert into batched values (1)", "insert into batched values (2)", "select count(*) from batched"));
        assertThat(done.status()).isEqualTo(200);
        assertThat(done.json().get("results").size()).isEqualTo(3);
        assertThat(done.json().get("results").get(2).get("rows").toString()).isEqualTo("[[\"2\"]]");
        assertThat(batch(List.of("insert into batched values (3)", "select 1/0", "select 1"))
                        .code())
                .isEqualTo("22012");
        assertThat(batch(List.of("insert into batched values (4), (4)")).code())
                .as("at the commit")
                .isEqualTo("23505");
        assertThat(sql("select count(*) from batched").value()).isEqualTo("2");
        assertThat(batch(List.of()).json().get("results").isEmpty()).isTrue();
    }

    @Test
    void a_batch_runs_as_its_headers_say() throws Exception {
        List<String> ask = List.of(
                "select current_setting('transaction_isolation') || ' ' || current_setting('transaction_read_only') || ' '"
                        + " || current_setting('transaction_deferrable')");
        Answer answer = batch(
                ask,
                "Neon-Batch-Isolation-Level",
                "Serializable",
                "Neon-Batch-Read-Only",
                "true",
                "Neon-Batch-Deferrable",
                "true");
        assertThat(answer.json().get("results").get(0).get("rows").get(0).get(0).asString())
                .isEqualTo("serializable on on");
        assertThat(answer.headers().get("neon-batch-isolation-level")).containsExactly("Serializable");
        assertThat(batch(List.of("create table never (n int)"), "Neon-Batch-Read-Only", "true")
                        .code())
                .isEqualTo("25006");
        assertThat(batch(ask, "Neon-Batch-Isolation-Level", "Chaos")
                        .json()
                        .get("message")
                        .asString())
                .contains("Neon-Batch-Isolation-Level");
    }

    @Test
    void nothing_of_a_request_is_left_to_the_next() throws Exception {
        ProxyConfiguration single = fixture.change()
                .pool(new PoolSettings(
                        1, 100, Duration.ofSeconds(30), Duration.ofSeconds(30), Duration.ofHours(1), 100))
                .build();
        sql("create or replace function hidden() returns text language sql as"
                + " $$ select set_config('work_mem', '77MB', false) $$");
        try (ProxyServer proxy = fixture.start(single, new MetricRegistry())) {
            String url = "http://127.0.0.1:" + proxy.address().getPort() + "/sql";
            for (String trace : List.of(
                    "set search_path to pg_catalog",
                    "select hidden()",
                    "select set_config('app.user', 'somebody', false)",
                    "create temp table mine (n int)",
                    "select pg_advisory_lock(42)",
                    "prepare kept as select 1",
                    "listen somewhere",
                    "begin",
                    "set role pg_monitor")) {
                assertThat(post(url, DATABASE, body(trace)).status()).as(trace).isEqualTo(200);
                Answer after = post(url, DATABASE, body("""
                        select current_setting('search_path') || current_setting('work_mem')
                            || coalesce(current_setting('app.user', true), '')
                            || coalesce(to_regclass('pg_temp.mine')::text, '')
                            || (select count(*) from pg_locks where locktype = 'advisory')
                            || (select count(*) from pg_prepared_statements)
                            || (select count(*) from pg_listening_channels()) || current_user"""), "Neon-Array-Mode", "true");
                assertThat(after.value()).as(trace).isEqualTo("\"$user\", public4MB000alice");
            }
        }
    }

    @Test
    void many_requests_share_few_server_connections() throws Exception {
        List<CompletableFuture<HttpResponse<String>>> sent = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            sent.add(CLIENT.sendAsync(
                    HttpRequest.newBuilder(URI.create(url()))
                            .header("Neon-Connection-String", DATABASE)
                            .POST(HttpRequest.BodyPublishers.ofString(body("select $1::int as n", i)))
                            .build(),
                    HttpResponse.BodyHandlers.ofString()));
        }
        for (int i = 0; i < sent.size(); i++) {
            HttpResponse<String> response = sent.get(i).get();
            assertThat(JSON.readTree(response.body()).get("rows").toString()).isEqualTo("[{\"n\":" + i + "}]");
        }
        assertThat(fixture.poolGauge("servers")).isLessThanOrEqualTo(54);
        await().until(() -> fixture.poolGauge("clients") == 0 && fixture.poolGauge("servers-busy") == 0);
    }

    @Test
    void a_query_whose_client_has_gone_is_cancelled() throws Exception {
        try (var client = HttpClient.newHttpClient()) {
            client.sendAsync(
                    HttpRequest.newBuilder(URI.create(url()))
                            .header("Neon-Connection-String", DATABASE)
                            .POST(HttpRequest.BodyPublishers.ofString(body("select pg_sleep(600)")))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            await().until(() -> sleeping() == 1);
            client.shutdownNow();
        }
        await().until(() -> sleeping() == 0);
        assertThat(fixture.metrics.meter("proxy.http.cancelled").getCount()).isPositive();
        await().until(() -> fixture.poolGauge("clients") == 0);
    }

    private static int sleeping() throws Exception {
        return Integer.parseInt(sql("select count(*) from pg_stat_activity where query = 'select pg_sleep(600)'"
                        + " and state = 'active'")
                .value());
    }

    @Test
    void what_is_too_large_is_refused_and_not_committed() throws Exception {
        ProxyConfiguration small = fixture.change()
                .http(new HttpSettings(true, 10_000, 20_000, Long.MAX_VALUE))
                .build();
        sql("create table large_one (n int)");
        try (ProxyServer proxy = fixture.start(small, new MetricRegistry())) {
            String url = "http://127.0.0.1:" + proxy.address().getPort() + "/sql";
            Answer request = post(url, DATABASE, body("select '" + "x".repeat(10_000) + "'"));
            assertThat(request.status()).isEqualTo(413);
            assertThat(request.json().get("code").asString()).isEqualTo("54000");
            assertThat(post(url, DATABASE, body("select repeat('x', 30000)")).status())
                    .isEqualTo(507);
            assertThat(post(url, DATABASE, body("select generate_series(1, 10000000)"))
                            .status())
                    .isEqualTo(507);
            Answer batch = post(
                    url, DATABASE, batchBody(List.of("insert into large_one values (1)", "select repeat('x', 30000)")));
            assertThat(batch.status()).isEqualTo(507);
            assertThat(batch.json().get("hint").asString()).contains("max_response_megabytes");
            assertThat(post(url, DATABASE, body("select count(*)::int as n from large_one"))
                            .rows()
                            .toString())
                    .isEqualTo("[{\"n\":0}]");
            proxy.reload(fixture.change()
                    .http(new HttpSettings(true, 20_000, 40_000, Long.MAX_VALUE))
                    .build());
            assertThat(post(url, DATABASE, body("select '" + "x".repeat(10_000) + "'"))
                            .status())
                    .isEqualTo(200);
            assertThat(post(url, DATABASE, body("select repeat('x', 30000)")).status())
                    .isEqualTo(200);
            proxy.reload(fixture.change()
                    .http(new HttpSettings(true, 20_000, 40_000, 1))
                    .build());
            assertThat(post(url, DATABASE, body("select 1")).status()).isEqualTo(503);
        }
    }

    @Test
    void requests_that_hold_too_much_memory_together_are_told_to_try_again() throws Exception {
        MetricRegistry metrics = new MetricRegistry();
        ProxyConfiguration poor = fixture.change()
                .http(new HttpSettings(true, 10_000_000, 10_000_000, 1_000_000))
                .build();
        try (ProxyServer proxy = fixture.start(poor, metrics)) {
            String url = "http://127.0.0.1:" + proxy.address().getPort() + "/sql";
            String query = "select repeat('x', 200000) from generate_series(1, 20)";
            for (Answer each : List.of(
                    post(url, DATABASE, body(query)),
                    post(url, DATABASE, body("select 1 /*" + "x".repeat(2_000_000) + "*/")))) {
                assertThat(each.status()).isEqualTo(503);
                assertThat(each.json().get("code").asString()).isEqualTo("53200");
            }
            assertThat(post(url, DATABASE, body("select repeat('x', 500000)")).status())
                    .isEqualTo(200);
            await().until(() -> Objects.requireNonNull(metrics.getGauges().get("proxy.http.bytes-held"))
                    .getValue()
                    .equals(0L));
        }
    }

    @Test
    void where_http_is_off_nobody_answers() throws Exception {
        ProxyConfiguration off =
                fixture.change().http(new HttpSettings(false, 1, 1, 1)).build();
        try (ProxyServer proxy = fixture.start(off, new MetricRegistry())) {
            assertThat(raw(proxy.address().getPort(), "GET /sql HTTP/1.1\r\nHost: x\r\n\r\n"))
                    .doesNotContain("HTTP/1.1");
        }
    }

    @Test
    void a_browser_may_ask_first() throws Exception {
        HttpResponse<Void> preflight = CLIENT.send(
                HttpRequest.newBuilder(URI.create(url()))
                        .method("OPTIONS", HttpRequest.BodyPublishers.noBody())
                        .header("Access-Control-Request-Method", "POST")
                        .build(),
                HttpResponse.BodyHandlers.discarding());
        assertThat(preflight.statusCode()).isEqualTo(204);
        assertThat(preflight.headers().firstValue("access-control-allow-origin"))
                .hasValue("*");
        assertThat(preflight
                        .headers()
                        .firstValue("access-control-allow-headers")
                        .orElse(""))
                .contains("Neon-Connection-String", "Neon-Batch-Isolation-Level");
        assertThat(sql("select 1").headers().get("access-control-allow-origin")).containsExactly("*");
    }

    @Test
    void https_is_the_same_with_a_protocol_named_or_without() throws Exception {
        SSLContext context = trusted();
        try (HttpClient client = HttpClient.newBuilder().sslContext(context).build()) {
            Answer answer = post(
                    client,
                    "https://localhost:" + fixture.port() + "/sql",
                    DATABASE,
                    body("select 1"),
                    "Neon-Array-Mode",
                    "true");
            assertThat(answer.value()).isEqualTo("1");
        }
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("localhost", fixture.port())) {
            socket.getOutputStream().write("GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n".getBytes(UTF_8));
            assertThat(new String(socket.getInputStream().readAllBytes(), UTF_8))
                    .startsWith("HTTP/1.1 404 ");
        }
    }

    private static SSLContext trusted() throws Exception {
        var keys = java.security.KeyStore.getInstance("PKCS12");
        keys.load(null, null);
        try (var in = java.nio.file.Files.newInputStream(fixture.tlsDirectory.resolve("server.crt"))) {
            keys.setCertificateEntry(
                    "proxy", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(keys);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    @Test
    void requests_sent_ahead_are_answered_in_their_order() throws Exception {
        String head = "POST /sql HTTP/1.1\r\nHost: x\r\nNeon-Connection-String: " + DATABASE + "\r\nContent-Length: ";
        StringBuilder all = new StringBuilder();
        for (String each :
                List.of(body("select 'first', pg_sleep(0.1)"), body("select 'second'"), body("select 1/0"))) {
            all.append(head).append(each.length()).append("\r\n\r\n").append(each);
        }
        all.append("GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n");
        String answered = raw(fixture.port(), all.toString());
        assertThat(answered.split("HTTP/1.1 ", -1)).hasSize(5);
        assertThat(answered).containsSubsequence("first", "second", "22012", "404");
    }

    @Test
    void a_proxy_that_stops_lets_a_request_finish() throws Exception {
        CompletableFuture<HttpResponse<String>> last;
        try (ProxyServer proxy = fixture.start(fixture.configuration(), new MetricRegistry())) {
            last = CLIENT.sendAsync(
                    HttpRequest.newBuilder(URI.create(
                                    "http://127.0.0.1:" + proxy.address().getPort() + "/sql"))
                            .header("Neon-Connection-String", DATABASE)
                            .POST(HttpRequest.BodyPublishers.ofString(
                                    body("select 'done', pg_sleep(0.5) /* the last one */")))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            await().until(() ->
                    sql("select count(*) from pg_stat_activity where query like '%/* the last one */' and state = 'active'")
                            .value()
                            .equals("1"));
        }
        assertThat(last.get().body()).contains("done");
    }

    /** What comes back before the proxy closes the connection. */
    private static String raw(int port, String request) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(30_000);
            socket.getOutputStream().write(request.getBytes(UTF_8));
            return new String(socket.getInputStream().readAllBytes(), UTF_8);
        }
    }
}
