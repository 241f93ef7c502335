package dev.coppice.proxy.pool;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.coppice.proxy.Mutations;
import dev.coppice.proxy.pool.PoolBench.Messages;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Two clients of a pool and its two servers, in any order: what one client sends, or a server that was taken over, leaves the
 * server connections fit for others or closed, and holds no memory.
 *
 * <p>An input is a list of steps: {@code 00-0F n} the first client sends the n bytes that follow; {@code 10-1F} it sends one of
 * the messages below; {@code 20-2F} the second client does; {@code 30-3F} a server answers some requests; {@code 40-4F n} a
 * server says the n bytes that follow; {@code 50-5F} a client leaves and another comes.
 */
class PoolFuzzTest {
    @BeforeAll
    static void start() {
        PoolBench.start();
    }

    @AfterAll
    static void stop() {
        PoolBench.stop();
    }

    private static final int ROUNDS = 6_000;
    /** What is held for the few bytes of an input must be few. */
    private static final long MAX_BYTES = 512 << 10;

    private static final byte[][] MESSAGES = {
        Messages.query("select 1"),
        Messages.query("begin"),
        Messages.query("end"),
        Messages.query("copy t from stdin; copy u from stdin"),
        Messages.parse("s1", "select 1"),
        Messages.parse("", "copy t from stdin"),
        Messages.parse("s2", "nonsense"),
        Messages.bind("s1"),
        Messages.bind(""),
        Messages.execute(),
        Messages.sync(),
        Messages.message('d', "a row"),
        Messages.message('c', ""),
        Messages.message('f', "no\0"),
        Messages.message('C', "Ss1\0"),
        Messages.query("set search_path = x"),
    };

    private static void play(byte[] input, boolean serversSpeak) {
        PoolBench bench = new PoolBench();
        PoolBench.Client[] clients = {bench.client(), bench.client()};
        boolean spoken = false;
        for (int i = 0; i < input.length; i++) {
            int step = input[i] & 0xFF;
            int low = step & 0x0F;
            switch (step >> 4) {
                case 0 -> {
                    byte[] bytes = behind(input, i);
                    clients[0].send(bytes);
                    i += 1 + bytes.length;
                }
                case 1 -> clients[0].send(MESSAGES[low]);
                case 2 -> clients[1].send(MESSAGES[low]);
                case 3 -> {
                    for (int answers = 0; answers <= low >> 1; answers++) {
                        bench.server(low & 1).answer();
                    }
                }
                case 4 -> {
                    byte[] bytes = behind(input, i);
                    if (serversSpeak) {
                        spoken = true;
                        bench.server(low & 1).say(bytes);
                    }
                    i += 1 + bytes.length;
                }
                case 5 -> {
                    clients[low & 1].close();
                    clients[low & 1] = bench.client();
                }
                default -> {}
            }
            assertThat(bench.heldBytes()).isLessThan(MAX_BYTES);
        }
        if (spoken) {
            bench.assertNothingHeld();
        } else {
            bench.assertGoneWithoutATrace();
        }
    }

    private static byte[] behind(byte[] input, int at) {
        int length = at + 1 < input.length ? input[at + 1] & 0xFF : 0;
        return Arrays.copyOfRange(input, Math.min(at + 2, input.length), Math.min(at + 2 + length, input.length));
    }

    private static byte[] steps(Object... parts) {
        List<Byte> all = new ArrayList<>();
        for (Object part : parts) {
            if (part instanceof byte[] raw) {
                all.add((byte) raw.length);
                for (byte each : raw) {
                    all.add(each);
                }
            } else {
                all.add(((Integer) part).byteValue());
            }
        }
        byte[] bytes = new byte[all.size()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = all.get(i);
        }
        return bytes;
    }

    static List<byte[]> clientSeeds() {
        return List.of(
                steps(0x10, 0x20, 0x30, 0x31, 0x10, 0x30),
                steps(0x14, 0x17, 0x19, 0x1A, 0x30, 0x24, 0x27, 0x29, 0x2A, 0x31, 0x30, 0x30),
                steps(0x15, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1A, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30),
                steps(0x13, 0x1B, 0x1C, 0x1A, 0x1D, 0x10, 0x3F, 0x3E, 0x20, 0x3E),
                steps(0x11, 0x16, 0x18, 0x1A, 0x12, 0x3F, 0x1F, 0x3E, 0x50, 0x20, 0x3E),
                steps(0x00, Messages.message('Q', "select 1\0"), 0x00, Messages.message('H', ""), 0x3E),
                steps(0x00, Messages.message('B', "p\0s1"), 0x1A, 0x3E),
                steps(0x00, Messages.message('F', "\0\0\0\1"), 0x1E, 0x14, 0x1E, 0x1A, 0x3E));
    }

    @MethodSource("clientSeeds")
    @FuzzTest
    void client(byte[] input) {
        play(input, false);
    }

    static List<byte[]> computeSeeds() {
        byte[] ready = Messages.message('Z', "I");
        return List.of(
                steps(0x10, 0x40, Messages.message('C', "SELECT 1\0"), 0x40, ready, 0x40, ready),
                steps(0x10, 0x40, Messages.message('G', "\0\0\0"), 0x1B, 0x1C, 0x40, ready),
                steps(0x14, 0x17, 0x19, 0x1A, 0x40, Messages.message('1', ""), 0x40, Messages.message('2', "")),
                steps(0x1F, 0x40, Messages.message('S', "a\0c\0"), 0x40, Messages.message('C', "SET\0"), 0x40, ready),
                steps(0x10, 0x40, Messages.message('E', "SERROR\0C57P01\0\0"), 0x51, 0x20, 0x31, 0x40, ready),
                steps(0x10, 0x40, new byte[] {'D', 0, 0, 1, 0, 1}, 0x50, 0x3F));
    }

    @MethodSource("computeSeeds")
    @FuzzTest
    void compute(byte[] input) {
        play(input, true);
    }

    @Test
    void mutated_conversations_leave_no_trace() {
        Mutations.feed(ROUNDS, clientSeeds(), this::client);
        Mutations.feed(ROUNDS, computeSeeds(), this::compute);
    }
}
