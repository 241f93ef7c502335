package dev.coppice.proxy.cancel;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.proxy.pgwire.CancelKey;
import dev.coppice.proxy.pgwire.ProtocolVersion;
import dev.coppice.proxy.route.ComputeSocket;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class CancelKeysTest {
    private static final byte[] SECRET = {1, 2, 3};

    private final CancelKeys keys = new CancelKeys(new SecureRandom(), SECRET);
    private final CancelKey computeKey = new CancelKey(99, new byte[] {1, 2, 3, 4});

    private static ComputeSocket socket(String path) {
        return new ComputeSocket(Path.of(path), 1_900_000_000, Integer.MAX_VALUE);
    }

    private static int bytes(CancelKey key) {
        ByteBuf out = Unpooled.buffer();
        dev.coppice.proxy.pgwire.ServerMessages.appendBackendKeyData(out, key);
        return out.readableBytes() - 9;
    }

    @Test
    void equal_keys_of_two_computes_get_different_keys_and_find_their_own() {
        CancelKey one = keys.add(socket("one"), computeKey, ProtocolVersion.V3_0);
        CancelKey two = keys.add(socket("two"), computeKey, ProtocolVersion.V3_0);
        assertThat(one).isNotEqualTo(two);
        assertThat(keys.find(one)).contains(new CancelTarget.Backend(socket("one"), computeKey));
        assertThat(keys.find(two)).contains(new CancelTarget.Backend(socket("two"), computeKey));
    }

    @Test
    void a_short_key_is_gone_with_its_session() {
        CancelKey key = keys.add(socket("one"), computeKey, ProtocolVersion.V3_0);
        keys.remove(key);
        assertThat(keys.find(key)).isEmpty();
        assertThat(keys.size()).isZero();
    }

    @Test
    void a_long_key_is_not_remembered_and_leads_there_from_every_proxy_with_the_same_secret() {
        ComputeSocket socket = socket("/some/where/ep-quiet-moss-1a2b3c4d/.s.PGSQL.5432");
        CancelKey key = keys.add(socket, computeKey, ProtocolVersion.V3_2);
        assertThat(keys.size()).isZero();
        CancelKeys restarted = new CancelKeys(new SecureRandom(), SECRET);
        assertThat(restarted.find(key)).contains(new CancelTarget.Backend(socket, computeKey));
        CancelKeys stranger = new CancelKeys(new SecureRandom(), new byte[] {9});
        assertThat(stranger.find(key)).isEmpty();
    }

    @Test
    void a_long_key_with_any_bit_changed_leads_nowhere() {
        CancelKey key = keys.add(socket("/one"), computeKey, ProtocolVersion.V3_2);
        byte[] secret = key.secret();
        for (int bit = 0; bit < secret.length * Byte.SIZE; bit++) {
            byte[] changed = secret.clone();
            changed[bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);
            assertThat(keys.find(new CancelKey(key.processId(), changed))).isEmpty();
        }
        for (int length = CancelKey.SHORT_SECRET_BYTES; length < secret.length; length++) {
            assertThat(keys.find(new CancelKey(key.processId(), Arrays.copyOf(secret, length))))
                    .isEmpty();
        }
        assertThat(keys.find(new CancelKey(key.processId() + 1, secret))).isEmpty();
    }

    @Test
    void a_long_key_does_not_show_where_it_leads() {
        CancelKey key = keys.add(socket("/one"), computeKey, ProtocolVersion.V3_2);
        CancelKey again = keys.add(socket("/one"), computeKey, ProtocolVersion.V3_2);
        assertThat(new String(key.secret(), ISO_8859_1)).doesNotContain("/one");
        assertThat(key).isNotEqualTo(again);
    }

    @Test
    void a_route_too_long_for_a_key_is_remembered_instead() {
        ComputeSocket far = socket("/" + "far/".repeat(80));
        CancelKey key = keys.add(far, computeKey, ProtocolVersion.V3_2);
        assertThat(keys.find(key)).contains(new CancelTarget.Backend(far, computeKey));
        keys.remove(key);
        assertThat(keys.find(key)).isEmpty();
    }

    @Test
    void keys_are_short_in_3_0_and_at_most_256_bytes_long_in_3_2() {
        assertThat(bytes(keys.add(socket("one"), computeKey, ProtocolVersion.V3_0)))
                .isEqualTo(4);
        ComputeSocket longest = socket("/" + "x".repeat(106));
        assertThat(bytes(keys.add(longest, computeKey, ProtocolVersion.V3_2))).isBetween(32, 256);
        assertThat(bytes(keys.addPooled(_ -> {}, ProtocolVersion.V3_2))).isEqualTo(32);
        assertThat(bytes(keys.addPooled(_ -> {}, ProtocolVersion.V3_0))).isEqualTo(4);
    }

    @Test
    void the_process_id_stays_that_of_the_backend() {
        assertThat(keys.add(socket("one"), computeKey, ProtocolVersion.V3_0).processId())
                .isEqualTo(99);
    }
}
