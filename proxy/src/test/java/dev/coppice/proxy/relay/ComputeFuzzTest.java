package dev.coppice.proxy.relay;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.coppice.proxy.Mutations;
import dev.coppice.proxy.auth.ScramClient;
import dev.coppice.proxy.auth.TestKeys;
import dev.coppice.proxy.pgwire.ComputeDecoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ImmediateEventExecutor;
import io.netty.util.concurrent.Promise;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.MethodSource;

/** What a compute that was taken over may say: at the login, and through a relay to its own client. */
class ComputeFuzzTest {
    private static final int ROUNDS = 4_000;
    private static final long MAX_BYTES = 256 << 10;
    private static final String NONCE = "ournonce";

    private final UnpooledByteBufAllocator alloc = new UnpooledByteBufAllocator(false, true);

    private static byte[] message(char type, String body) {
        return ByteBuffer.allocate(5 + body.length())
                .put((byte) type)
                .putInt(4 + body.length())
                .put(body.getBytes(ISO_8859_1))
                .array();
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    private ByteBuf buffer(byte[] bytes, int from, int to) {
        return alloc.buffer().writeBytes(bytes, from, to - from);
    }

    private long heldBytes() {
        return alloc.metric().usedHeapMemory() + alloc.metric().usedDirectMemory();
    }

    private static void releaseAll(EmbeddedChannel channel) {
        for (Object out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
            ReferenceCountUtil.release(out);
        }
    }

    static List<byte[]> loginSeeds() {
        byte[] offer = message('R', "\0\0\0\12SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0");
        byte[] first = message('R', "\0\0\0\13r=" + NONCE + "x,s=AAAA,i=4096");
        byte[] last = message('R', "\0\0\0\14v=" + "A".repeat(43) + "=");
        return List.of(
                join(offer, first, last, message('R', "\0\0\0\0"), message('Z', "I")),
                join(offer, message('E', "SFATAL\0C28P01\0Mno\0\0")),
                join(message('R', "\0\0\0\5abcd")),
                join(
                        message('N', "SNOTICE\0\0"),
                        message('S', "a\0b\0"),
                        message('K', "\0\0\0\7abcd"),
                        message('Z', "I")),
                join(message('v', "\0\3\0\0\0\0\0\0"), offer, first, message('E', "")));
    }

    /** The login fails, or is not over yet; it cannot succeed without the server key. */
    @MethodSource("loginSeeds")
    @FuzzTest
    void login(byte[] input) {
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.config().setAllocator(alloc);
        Promise<ComputeGreeting> result = ImmediateEventExecutor.INSTANCE.newPromise();
        ScramClient scram = new ScramClient(TestKeys.zeros(), NONCE);
        channel.pipeline()
                .addLast(
                        new ComputeDecoder(),
                        new ComputeLogin(Map.of("user", "alice", "database", "shop"), scram, result));
        channel.writeInbound(buffer(input, 0, input.length / 2));
        channel.writeInbound(buffer(input, input.length / 2, input.length));
        assertThat(heldBytes()).isLessThan(MAX_BYTES);
        assertThat(result.isSuccess()).isFalse();
        channel.close();
        assertThat(result.isDone()).isTrue();
        assertThat(result.cause()).isInstanceOf(ComputeLoginException.class).hasMessageNotContaining("Exception");
        releaseAll(channel);
        channel.finishAndReleaseAll();
        assertThat(heldBytes()).isZero();
    }

    static List<byte[]> relaySeeds() {
        return List.of(
                join(new byte[] {0, 20}, message('C', "SELECT 1\0"), message('Z', "I")),
                join(new byte[] {1, 5}, message('X', ""), new byte[] {0, 6}, message('Z', "T"), new byte[] {2}),
                join(new byte[] {0, 3}, message('Z', "E"), new byte[] {3}),
                join(new byte[] {1, 9}, message('Q', "a;\0"), new byte[] {4, 0, 6}, message('Z', "I"), new byte[] {2}));
    }

    /**
     * Steps: {@code 0 n} the compute says the n bytes that follow, {@code 1 n} the client does, {@code 2} and {@code 3} the
     * compute and the client go, {@code 4} the proxy drains. Every byte that came before the end reaches the other side.
     */
    @MethodSource("relaySeeds")
    @FuzzTest
    void relay(byte[] input) {
        EmbeddedChannel[] sides = {new EmbeddedChannel(), new EmbeddedChannel()};
        ByteArrayOutputStream[] said = {new ByteArrayOutputStream(), new ByteArrayOutputStream()};
        ByteArrayOutputStream[] heard = {new ByteArrayOutputStream(), new ByteArrayOutputStream()};
        List<SessionEnd> ends = new ArrayList<>();
        Relay relay = Relay.start(sides[1], sides[0], ends::add);
        for (int i = 0; i < input.length; i++) {
            int step = Math.floorMod(input[i], 5);
            switch (step) {
                case 0, 1 -> {
                    int length = i + 1 < input.length ? input[i + 1] & 0xFF : 0;
                    byte[] bytes = Arrays.copyOfRange(
                            input, Math.min(i + 2, input.length), Math.min(i + 2 + length, input.length));
                    i += 1 + length;
                    if (ends.isEmpty()) {
                        said[step].writeBytes(bytes);
                    }
                    if (sides[step].isOpen()) {
                        sides[step].writeInbound(buffer(bytes, 0, bytes.length));
                    }
                }
                case 2, 3 -> sides[step - 2].close();
                default -> relay.drain();
            }
            sides[0].runPendingTasks();
            sides[1].runPendingTasks();
            for (int side = 0; side < 2; side++) {
                for (ByteBuf out = sides[side].readOutbound(); out != null; out = sides[side].readOutbound()) {
                    heard[1 - side].writeBytes(ByteBufUtil.getBytes(out));
                    out.release();
                }
            }
        }
        assertThat(heard[1].toByteArray()).isEqualTo(said[1].toByteArray());
        // Behind it there may be a farewell.
        assertThat(Arrays.copyOf(heard[0].toByteArray(), said[0].size())).isEqualTo(said[0].toByteArray());
        for (EmbeddedChannel side : sides) {
            side.close();
            side.runPendingTasks();
            side.checkException();
            side.finishAndReleaseAll();
        }
        assertThat(ends).hasSize(1);
        assertThat(heldBytes()).isZero();
    }

    @Test
    void mutated_words_of_a_compute_leave_no_trace() {
        Mutations.feed(ROUNDS, loginSeeds(), this::login);
        Mutations.feed(ROUNDS, relaySeeds(), this::relay);
    }
}
