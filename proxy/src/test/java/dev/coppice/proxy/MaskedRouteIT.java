package dev.coppice.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Whatever way a masked role comes, it is sent to its view, and no connection is shared with those who are not masked. */
@Timeout(60)
class MaskedRouteIT {
    private static final String VIEW = "ep-main-1~masked";

    @RegisterExtension
    static final ProxyFixture fixture = new ProxyFixture();

    @BeforeEach
    void mask() {
        fixture.directory.masked.add("alice");
    }

    @AfterEach
    void unmask() {
        fixture.directory.masked.clear();
        fixture.directory.defaults.remove(ProxyFixture.DEV);
    }

    private static String backend(String database, String... properties) throws SQLException {
        try (Connection connection = fixture.connect(database, properties)) {
            return ProxyFixture.one(connection, "select pg_backend_pid()");
        }
    }

    @Test
    void by_default_by_options_by_the_database_and_over_tls() throws SQLException {
        backend("shop");
        backend("shop", "options", "endpoint=ep-main-1");
        backend("shop@main");
        backend("shop", "sslmode", "require", "options", "endpoint=ep-main-1");
        assertThat(fixture.directory.woken).containsOnly(VIEW);
    }

    @Test
    void by_the_password() throws SQLException {
        fixture.directory.defaults.add(ProxyFixture.DEV);
        try (Connection connection = ProxyFixture.connect(
                fixture.port(), "shop", "alice", "endpoint=ep-main-1;" + ProxyFixture.PASSWORD, "sslmode", "require")) {
            assertThat(ProxyFixture.one(connection, "select 1")).isEqualTo("1");
        }
        assertThat(fixture.directory.woken).containsOnly(VIEW);
    }

    @Test
    void to_a_past_moment() throws SQLException {
        backend("shop@main@0/16B3748");
        assertThat(fixture.directory.woken).containsOnly("ep-main-1@0/16B3748~masked");
    }

    @Test
    void pooled_without_sharing_connections_from_before() throws SQLException {
        fixture.directory.masked.clear();
        String before = backend("shop", "options", "endpoint=ep-main-1-pooler");
        fixture.directory.masked.add("alice");
        fixture.directory.woken.clear();
        assertThat(backend("shop", "options", "endpoint=ep-main-1-pooler")).isNotEqualTo(before);
        assertThat(fixture.directory.woken).containsOnly(VIEW);
    }

    @Test
    void over_http() throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpResponse<String> answer = client.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + fixture.port() + "/sql"))
                            .header(
                                    "Neon-Connection-String",
                                    "postgresql://alice:correct%20horse@ep-main-1.localhost/shop")
                            .POST(HttpRequest.BodyPublishers.ofString("{\"query\":\"select 42 as n\",\"params\":[]}"))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(answer.body()).contains("42");
        }
        assertThat(fixture.directory.woken).containsOnly(VIEW);
    }

    @Test
    void when_it_is_declared_masked_while_it_proves_its_password() throws Exception {
        fixture.directory.masked.clear();
        try (RawClient client = new RawClient(fixture.port())) {
            RawClient.Reply reply = new RawLogin(ProxyFixture.PASSWORD)
                    .proof(proof -> {
                        fixture.directory.masked.add("alice");
                        return proof;
                    })
                    .run(client, RawClient.V3_0, "alice", "shop");
            assertThat(reply.type()).isEqualTo('R');
            client.message('Q', "select 'through'\0".getBytes(UTF_8));
            assertThat(client.readUntil('D').text()).contains("through");
        }
        assertThat(fixture.directory.woken).containsOnly(VIEW);
    }
}
