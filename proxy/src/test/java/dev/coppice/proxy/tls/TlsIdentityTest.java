package dev.coppice.proxy.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TlsIdentityTest {
    @TempDir
    private Path directory;

    private TlsIdentity load() {
        return TlsIdentity.load(new TlsSettings.SelfSigned(directory.resolve("tls")), Clock.systemUTC())
                .orElseThrow();
    }

    @Test
    void the_first_start_makes_a_certificate_for_this_machine() throws Exception {
        load();
        try (InputStream in = Files.newInputStream(directory.resolve("tls/server.crt"))) {
            X509Certificate certificate =
                    (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
            certificate.checkValidity();
            certificate.verify(certificate.getPublicKey());
            assertThat(certificate.getSubjectAlternativeNames())
                    .contains(
                            List.of(2, "localhost"),
                            List.of(2, "*.localhost"),
                            List.of(7, "127.0.0.1"),
                            List.of(7, "0:0:0:0:0:0:0:1"));
        }
    }

    @Test
    void the_key_is_its_owners_alone() throws Exception {
        load();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("tls/server.key"))))
                .isEqualTo("rw-------");
    }

    @Test
    void the_next_start_takes_the_same_certificate() throws Exception {
        load();
        byte[] first = Files.readAllBytes(directory.resolve("tls/server.crt"));
        load();
        assertThat(Files.readAllBytes(directory.resolve("tls/server.crt"))).isEqualTo(first);
    }

    @Test
    void a_crash_between_key_and_certificate_is_healed_by_the_next_start() throws Exception {
        Files.createDirectories(directory.resolve("tls"));
        Files.writeString(directory.resolve("tls/server.key"), "half a k");
        load();
        assertThat(ServerCertificate.load(new TlsSettings.Certificate(
                                directory.resolve("tls/server.crt"), directory.resolve("tls/server.key")))
                        .names())
                .contains("localhost");
    }

    @Test
    void files_that_are_no_certificate_are_named() throws Exception {
        Path broken = Files.writeString(directory.resolve("broken.pem"), "no certificate");
        assertThatThrownBy(() -> TlsIdentity.load(new TlsSettings.Files(broken, broken), Clock.systemUTC()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("broken.pem");
    }

    @Test
    void tls_may_be_off() {
        assertThat(TlsIdentity.load(new TlsSettings.Off(), Clock.systemUTC())).isEmpty();
    }
}
