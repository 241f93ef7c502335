package dev.coppice.control.api.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.control.error.ControlException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Base64;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PemIdentityTest {
    private static final char[] PASSWORD = "password".toCharArray();

    @TempDir
    private Path directory;

    private KeyStore made(String algorithm) throws IOException, GeneralSecurityException, InterruptedException {
        Path file = directory.resolve(algorithm + ".p12");
        int code = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "api",
                        "-keyalg",
                        algorithm,
                        "-dname",
                        "CN=localhost",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        file.toString(),
                        "-storepass",
                        new String(PASSWORD))
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("keytool.log").toFile())
                .start()
                .waitFor();
        assertThat(code).as(Files.readString(directory.resolve("keytool.log"))).isZero();
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, PASSWORD);
        }
        return store;
    }

    private Path pem(String name, String label, byte[] content) throws IOException {
        String text = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
                .encodeToString(content);
        return Files.writeString(
                directory.resolve(name), "-----BEGIN " + label + "-----\n" + text + "\n-----END " + label + "-----\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"EC", "RSA"})
    void a_client_that_trusts_the_certificate_can_talk_to_who_has_the_files(String algorithm) throws Exception {
        KeyStore store = made(algorithm);
        Certificate certificate = store.getCertificate("api");
        Key key = store.getKey("api", PASSWORD);
        SSLContext server = PemIdentity.context(new ApiSettings.Tls(
                pem("chain.pem", "CERTIFICATE", certificate.getEncoded()),
                pem("key.pem", "PRIVATE KEY", key.getEncoded())));
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("api", certificate);
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext client = SSLContext.getInstance("TLS");
        client.init(null, trust.getTrustManagers(), null);
        try (SSLServerSocket listening = (SSLServerSocket)
                server.getServerSocketFactory().createServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread answering = Thread.ofVirtual().start(() -> {
                try (var accepted = listening.accept()) {
                    accepted.getOutputStream().write(42);
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            try (SSLSocket socket = (SSLSocket) client.getSocketFactory()
                    .createSocket(InetAddress.getLoopbackAddress(), listening.getLocalPort())) {
                assertThat(socket.getInputStream().read()).isEqualTo(42);
            }
            answering.join();
        }
    }

    @Test
    void files_that_cannot_be_used_are_named() throws Exception {
        Path certificate =
                pem("chain.pem", "CERTIFICATE", made("EC").getCertificate("api").getEncoded());
        Path rubbish = Files.writeString(directory.resolve("rubbish.pem"), "no key");
        assertThatThrownBy(() -> PemIdentity.context(new ApiSettings.Tls(certificate, rubbish)))
                .isInstanceOf(ControlException.class)
                .hasMessageContaining("rubbish.pem")
                .hasMessageContaining("openssl pkcs8");
        assertThatThrownBy(() -> PemIdentity.context(new ApiSettings.Tls(rubbish, rubbish)))
                .isInstanceOf(ControlException.class);
        assertThatThrownBy(() -> PemIdentity.context(new ApiSettings.Tls(directory.resolve("none.pem"), rubbish)))
                .isInstanceOf(ControlException.class)
                .hasMessageContaining("none.pem");
    }
}
