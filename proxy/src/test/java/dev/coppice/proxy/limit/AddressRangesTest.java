package dev.coppice.proxy.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AddressRangesTest {
    private static boolean allows(String range, String address) throws Exception {
        return AddressRanges.parse(List.of(range)).allows(InetAddress.getByName(address));
    }

    @Test
    void none_means_everybody() throws Exception {
        assertThat(AddressRanges.ALL.allows(InetAddress.getByName("203.0.113.9")))
                .isTrue();
    }

    @Test
    void addresses_ranges_and_blocks_are_told_apart() throws Exception {
        assertThat(allows("192.0.2.1", "192.0.2.1")).isTrue();
        assertThat(allows("192.0.2.1", "192.0.2.2")).isFalse();
        assertThat(allows("192.0.2.200 - 192.0.3.5", "192.0.3.0")).isTrue();
        assertThat(allows("192.0.2.200-192.0.3.5", "192.0.3.6")).isFalse();
        assertThat(allows("10.1.2.3/9", "10.127.255.255")).isTrue();
        assertThat(allows("10.1.2.3/9", "10.128.0.0")).isFalse();
        assertThat(allows("0.0.0.0/0", "8.8.8.8")).isTrue();
        assertThat(allows("2001:db8::/33", "2001:db8:7fff::1")).isTrue();
        assertThat(allows("2001:db8::/33", "2001:db8:8000::1")).isFalse();
        assertThat(allows("0.0.0.0/0", "::1")).isFalse();
        assertThat(allows("192.0.2.0/24", "::ffff:192.0.2.7")).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "localhost", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/x", "2.0.0.0-1.0.0.0", "1.2.3.4-::1", "::g"
            })
    void nonsense_is_named(String text) {
        assertThatThrownBy(() -> AddressRanges.parse(List.of(text))).hasMessageContaining("\"" + text + "\"");
    }
}
