package dev.coppice.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * SQL over HTTPS, at the port of the wire protocol. As many connections, kept alive, as threads ask at the same time. Whatever certificate
 * the server shows is taken: it is one that it has made itself.
 */
final class HttpsSql implements AutoCloseable {
    private static final int OK = 200;

    private final HttpClient client;
    private final URI uri;
    private final String connectionString;

    HttpsSql(ConnectionString to) throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new Trusting()}, new SecureRandom());
        client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .sslContext(context)
                .build();
        uri = URI.create("https://" + to.host() + ":" + to.port() + "/sql");
        connectionString = "postgresql://%s:%s@%s/%s?options=%s"
                .formatted(
                        to.user(),
                        URLEncoder.encode(to.password(), UTF_8),
                        to.host(),
                        to.database(),
                        URLEncoder.encode(to.options(), UTF_8));
    }

    /** Runs it and reads the whole answer. */
    void query(String sql) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(uri)
                .header("Neon-Connection-String", connectionString)
                .POST(HttpRequest.BodyPublishers.ofString("{\"query\":\"" + sql + "\",\"params\":[]}"))
                .build();
        HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != OK) {
            throw new IOException("/sql answered " + response.statusCode() + ": " + response.body());
        }
    }

    @Override
    public void close() {
        client.close();
    }

    private static final class Trusting extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
