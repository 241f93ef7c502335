package dev.coppice.proxy.http.websocket;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.ByteArrayOutputStream;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WebSocketStreamTest {
    private final long seed = Long.getLong("coppice.seed", 20260106);
    private final Random random = new Random(seed);

    private byte[] frame(int first, byte[] payload) {
        ByteBuf out = Unpooled.buffer().writeByte(first);
        // Longer lengths than needed are allowed to nobody but harmless, so the shortest form is used.
        if (payload.length < 126) {
            out.writeByte(0x80 | payload.length);
        } else if (payload.length < 65_536) {
            out.writeByte(0x80 | 126).writeShort(payload.length);
        } else {
            out.writeByte(0x80 | 127).writeLong(payload.length);
        }
        byte[] mask = new byte[4];
        random.nextBytes(mask);
        out.writeBytes(mask);
        for (int i = 0; i < payload.length; i++) {
            out.writeByte(payload[i] ^ mask[i % 4]);
        }
        return ByteBufUtil.getBytes(out);
    }

    private static String received(EmbeddedChannel channel) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (ByteBuf each = channel.readInbound(); each != null; each = channel.readInbound()) {
            all.writeBytes(ByteBufUtil.getBytes(each));
            each.release();
        }
        return HexFormat.of().formatHex(all.toByteArray());
    }

    private static String sent(EmbeddedChannel channel) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (ByteBuf each = channel.readOutbound(); each != null; each = channel.readOutbound()) {
            all.writeBytes(ByteBufUtil.getBytes(each));
            each.release();
        }
        return HexFormat.of().formatHex(all.toByteArray());
    }

    @Test
    void however_a_message_is_cut_its_bytes_come_out() {
        for (int round = 0; round < 200; round++) {
            EmbeddedChannel channel = new EmbeddedChannel(new WebSocketStream());
            ByteArrayOutputStream wire = new ByteArrayOutputStream();
            ByteArrayOutputStream expected = new ByteArrayOutputStream();
            for (int message = 0; message < 5; message++) {
                int fragments = 1 + random.nextInt(3);
                for (int i = 0; i < fragments; i++) {
                    byte[] payload = new byte[random.nextInt(20) == 0 ? 70_000 : random.nextInt(300)];
                    random.nextBytes(payload);
                    expected.writeBytes(payload);
                    wire.writeBytes(frame((i == fragments - 1 ? 0x80 : 0) | (i == 0 ? 2 : 0), payload));
                    if (random.nextInt(4) == 0) {
                        wire.writeBytes(frame(0x89, "ping".getBytes(UTF_8)));
                    }
                }
            }
            byte[] bytes = wire.toByteArray();
            for (int at = 0; at < bytes.length; ) {
                int piece = Math.min(bytes.length - at, 1 + random.nextInt(random.nextBoolean() ? 5 : 5000));
                channel.writeInbound(Unpooled.copiedBuffer(bytes, at, piece));
                at += piece;
            }
            assertThat(received(channel))
                    .as("-Dcoppice.seed=" + seed)
                    .isEqualTo(HexFormat.of().formatHex(expected.toByteArray()));
            channel.finishAndReleaseAll();
        }
    }

    @Test
    void what_is_written_becomes_frames() {
        EmbeddedChannel channel = new EmbeddedChannel(new WebSocketStream());
        channel.writeOutbound(Unpooled.copiedBuffer("abc", UTF_8), Unpooled.wrappedBuffer(new byte[126]));
        assertThat(sent(channel)).isEqualTo("8203616263" + "827e007e" + "00".repeat(126));
        channel.writeOutbound(Unpooled.wrappedBuffer(new byte[65_536]));
        assertThat(sent(channel)).startsWith("827f0000000000010000" + "0000");
        channel.close();
        assertThat(sent(channel)).isEqualTo("880203e8");
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void a_ping_is_answered_and_a_close_closes() {
        EmbeddedChannel channel = new EmbeddedChannel(new WebSocketStream());
        channel.writeInbound(Unpooled.wrappedBuffer(frame(0x89, "hi".getBytes(UTF_8))));
        assertThat(sent(channel)).isEqualTo("8a026869");
        channel.writeInbound(Unpooled.wrappedBuffer(frame(0x88, new byte[] {3, (byte) 0xE9})));
        assertThat(sent(channel)).isEqualTo("880203e9");
        assertThat(channel.isOpen()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "8180000000, 880203eb", // text
        "820161, 880203ea", // without a mask
        "c280000000, 880203ea", // a reserved bit
        "838000000000, 880203ea", // a reserved opcode
        "808000000000, 880203ea", // a continuation of nothing
        "098000000000, 880203ea", // a fragmented ping
        "89fe007e00000000, 880203ea", // a long ping
        "82ffffffffffffffffff00000000, 880203ea" // a negative length
    })
    void what_is_not_allowed_ends_it(String bytes, String farewell) {
        EmbeddedChannel channel = new EmbeddedChannel(new WebSocketStream());
        String whole = bytes.length() < 12 && !bytes.startsWith("8201") ? bytes + "00" : bytes;
        channel.writeInbound(Unpooled.wrappedBuffer(HexFormat.of().parseHex(whole)));
        assertThat(sent(channel)).isEqualTo(farewell);
        assertThat(channel.isOpen()).isFalse();
        channel.finishAndReleaseAll();
    }
}
