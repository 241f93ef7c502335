package dev.coppice.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.proxy.http.HttpSettings;
import dev.coppice.proxy.limit.AddressRanges;
import dev.coppice.proxy.limit.RateLimits;
import dev.coppice.proxy.pool.PoolSettings;
import dev.coppice.proxy.tls.TlsSettings;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProxyConfigurationTest {
    private static final InetSocketAddress LISTEN = new InetSocketAddress(0);

    private static ProxyConfiguration with(TlsSettings tls, boolean tlsRequired, int maxConnections, Duration timeout) {
        return new ProxyConfiguration(
                LISTEN,
                tls,
                tlsRequired,
                List.of("DB.Example.org"),
                maxConnections,
                timeout,
                timeout,
                0,
                PoolSettings.DEFAULTS,
                HttpSettings.DEFAULTS,
                AddressRanges.ALL,
                RateLimits.DEFAULTS,
                Duration.ZERO);
    }

    @Test
    void the_defaults_are_these() {
        TlsSettings off = new TlsSettings.Off();
        assertThat(ProxyConfiguration.defaults(LISTEN, off))
                .isEqualTo(new ProxyConfiguration(
                        LISTEN,
                        off,
                        false,
                        List.of("localhost"),
                        10_000,
                        Duration.ofSeconds(15),
                        Duration.ofSeconds(60),
                        0,
                        PoolSettings.DEFAULTS,
                        HttpSettings.DEFAULTS,
                        AddressRanges.ALL,
                        RateLimits.DEFAULTS,
                        Duration.ofSeconds(10)));
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
