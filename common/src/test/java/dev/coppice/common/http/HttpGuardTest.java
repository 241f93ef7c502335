package dev.coppice.common.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HttpGuardTest {
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        HttpGuard guard = new HttpGuard(
                HostNames.of(true, List.of("db.example.org"), "advertised.example.org"),
                path -> path.equals("/a") ? Set.of("GET", "POST") : Set.of());
        server = new GuardedHttpServers(guard)
                .createHttpServer(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 5);
        server.createContext("/", exchange -> {
            try (exchange) {
                exchange.sendResponseHeaders(204, -1);
            }
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "DELETE"})
    void a_method_that_a_path_does_not_have_is_answered_with_those_it_has(String method) throws IOException {
        assertThat(answer(method + " /a HTTP/1.1\r\nHost: localhost\r\n"))
                .startsWith("HTTP/1.1 405")
                .contains("Allow: GET, POST");
    }

    @Test
    void other_methods_are_not_implemented_and_known_ones_get_through() throws IOException {
        assertThat(answer("BREW /a HTTP/1.1\r\nHost: localhost\r\n")).startsWith("HTTP/1.1 501");
        assertThat(answer("GET /a HTTP/1.1\r\nHost: localhost\r\n")).startsWith("HTTP/1.1 204");
        assertThat(answer("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n")).startsWith("HTTP/1.1 204");
        assertThat(answer("OPTIONS /nowhere HTTP/1.1\r\nHost: localhost\r\n")).startsWith("HTTP/1.1 404");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "localhost",
                "LOCALHOST:5480",
                "ep-a.localhost:5480",
                "127.0.0.1:5480",
                "192.0.2.1",
                "[::1]:5480",
                "db.example.org:80",
                "advertised.example.org."
            })
    void its_own_names_and_every_address_are_right(String host) throws IOException {
        assertThat(answer("GET /a HTTP/1.1\r\nHost: " + host + "\r\n")).startsWith("HTTP/1.1 204");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example:5480", "notlocalhost", ""})
    void the_name_of_somebody_elses_page_is_not(String host) throws IOException {
        assertThat(answer("GET /a HTTP/1.1\r\nHost: " + host + "\r\n"))
                .startsWith("HTTP/1.1 421")
                .contains("api.allowed_hosts");
    }

    @Test
    void one_host_and_no_other_number_of_them() throws IOException {
        assertThat(answer("GET /a HTTP/1.1\r\n")).startsWith("HTTP/1.1 400");
        assertThat(answer("GET /a HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n"))
                .startsWith("HTTP/1.1 400");
    }

    @Test
    void beyond_loopback_only_listed_names_are_checked() {
        assertThat(HostNames.of(false, List.of(), "a.example").allow("evil.example"))
                .isTrue();
        assertThat(HostNames.of(false, List.of("a.example")).allow("evil.example"))
                .isFalse();
        assertThat(HostNames.of(false, List.of("a.example")).allow("A.example:443"))
                .isTrue();
    }

    @Test
    void half_a_request_and_idle_connections_have_an_end() {
        assertThat(System.getProperty("sun.net.httpserver.maxReqTime")).isEqualTo("30");
        assertThat(System.getProperty("sun.net.httpserver.idleInterval")).isEqualTo("30");
        assertThat(System.getProperty("jdk.httpserver.maxConnections")).isEqualTo("1000");
    }

    /** Of a connection that ends with the answer. */
    private String answer(String head) throws IOException {
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), server.getAddress().getPort())) {
            socket.getOutputStream().write((head + "Connection: close\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        }
    }
}
