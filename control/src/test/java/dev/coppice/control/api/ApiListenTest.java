package dev.coppice.control.api;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.http.HostNames;
import dev.coppice.control.api.server.ApiSettings;
import dev.coppice.control.error.ControlException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ApiListenTest {
    private static ApiSettings settings(String host, boolean tls, boolean allowPlainHttp) {
        return new ApiSettings(
                new InetSocketAddress(host, 5480),
                tls ? Optional.of(new ApiSettings.Tls(Path.of("chain.pem"), Path.of("key.pem"))) : Optional.empty(),
                allowPlainHttp,
                HostNames.any(),
                1,
                1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "no-such-host.invalid"})
    void keys_do_not_travel_in_the_clear_beyond_this_machine(String host) {
        assertThatThrownBy(() -> ApiServer.requireSafe(settings(host, false, false)))
                .isInstanceOf(ControlException.class)
                .hasMessageContaining("api.tls")
                .hasMessageContaining("api.allow_plain_http");
        assertThatCode(() -> ApiServer.requireSafe(settings(host, true, false))).doesNotThrowAnyException();
        assertThatCode(() -> ApiServer.requireSafe(settings(host, false, true))).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.9.9.9", "::1"})
    void on_this_machine_they_may(String host) {
        assertThatCode(() -> ApiServer.requireSafe(settings(host, false, false)))
                .doesNotThrowAnyException();
    }
}
