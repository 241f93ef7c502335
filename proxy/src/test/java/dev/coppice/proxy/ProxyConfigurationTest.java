package dev.coppice.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.proxy.tls.TlsSettings;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProxyConfigurationTest {
    private static final InetSocketAddress LISTEN = new InetSocketAddress(0);

    private static ProxyConfiguration with(TlsSettings tls, boolean tlsRequired, int maxConnections, Duration timeout) {
        return ProxyConfiguration.builder(LISTEN, tls)
                .tlsRequired(tlsRequired)
                .domains(List.of("DB.Example.org"))
                .maxConnections(maxConnections)
                .handshakeTimeout(timeout)
                .wakeTimeout(timeout)
                .build();
    }

    @Test
    void the_defaults_are_these() {
        ProxyConfiguration defaults =
                ProxyConfiguration.builder(LISTEN, new TlsSettings.Off()).build();
        assertThat(defaults.domains()).containsExactly("localhost");
        assertThat(defaults.maxConnections()).isEqualTo(10_000);
        assertThat(defaults.handshakeTimeout()).isEqualTo(Duration.ofSeconds(15));
        assertThat(defaults.wakeTimeout()).isEqualTo(Duration.ofSeconds(60));
        assertThat(defaults.drainTimeout()).isEqualTo(Duration.ofSeconds(10));
        assertThat(defaults.tlsRequired()).isFalse();
    }

    @Test
    void a_changed_copy_keeps_the_rest() {
        ProxyConfiguration configuration = with(new TlsSettings.Off(), false, 7, Duration.ofSeconds(3));
        assertThat(configuration.change().build()).isEqualTo(configuration);
        assertThat(configuration.change().maxConnections(8).build())
                .isEqualTo(with(new TlsSettings.Off(), false, 8, Duration.ofSeconds(3)));
    }

    @Test
    void domains_are_compared_in_lower_case() {
        assertThat(with(new TlsSettings.Off(), false, 1, Duration.ofSeconds(1)).domains())
                .containsExactly("db.example.org");
    }

    @Test
    void values_without_sense_are_refused() {
        TlsSettings off = new TlsSettings.Off();
        assertThatThrownBy(() -> with(off, false, 0, Duration.ofSeconds(1))).hasMessageContaining("max_connections");
        assertThatThrownBy(() -> with(off, false, 1, Duration.ZERO)).hasMessageContaining("timeouts");
        assertThatThrownBy(() -> with(off, true, 1, Duration.ofSeconds(1))).hasMessageContaining("required and off");
    }
}
