package dev.coppice.proxy.cancel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.proxy.pgwire.CancelKey;
import dev.coppice.proxy.pgwire.ProtocolVersion;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.file.Path;
import java.security.SecureRandom;
import org.junit.jupiter.api.Test;

class CancelKeysTest {
    private final CancelKeys keys = new CancelKeys(new SecureRandom());
    private final CancelKey computeKey = new CancelKey(99, new byte[] {1, 2, 3, 4});

    private static int bytes(CancelKey key) {
        ByteBuf out = Unpooled.buffer();
        dev.coppice.proxy.pgwire.ServerMessages.appendBackendKeyData(out, key);
        return out.readableBytes() - 9;
    }

    @Test
    void equal_keys_of_two_computes_get_different_keys_and_find_their_own() {
        CancelKey one = keys.add(Path.of("one"), computeKey, ProtocolVersion.V3_0);
        CancelKey two = keys.add(Path.of("two"), computeKey, ProtocolVersion.V3_0);
        assertThat(one).isNotEqualTo(two);
        assertThat(keys.find(one)).contains(new CancelTarget.Backend(Path.of("one"), computeKey));
        assertThat(keys.find(two)).contains(new CancelTarget.Backend(Path.of("two"), computeKey));
    }

    @Test
    void a_key_is_gone_with_its_session() {
        CancelKey key = keys.add(Path.of("one"), computeKey, ProtocolVersion.V3_2);
        keys.remove(key);
        assertThat(keys.find(key)).isEmpty();
        assertThat(keys.size()).isZero();
    }

    @Test
    void keys_are_short_in_3_0_and_long_in_3_2() {
        assertThat(bytes(keys.add(Path.of("one"), computeKey, ProtocolVersion.V3_0)))
                .isEqualTo(4);
        assertThat(bytes(keys.add(Path.of("one"), computeKey, ProtocolVersion.V3_2)))
                .isEqualTo(32);
    }

    @Test
    void the_process_id_stays_that_of_the_backend() {
        assertThat(keys.add(Path.of("one"), computeKey, ProtocolVersion.V3_0).processId())
                .isEqualTo(99);
    }
}
