package dev.coppice.proxy.pgwire;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StartupDecoderTest {
    private static final int V3_0 = 0x0003_0000;

    private final EmbeddedChannel channel = new EmbeddedChannel(new StartupDecoder());

    private Object decode(ByteBuf input) {
        channel.writeInbound(input);
        assertThat(input.refCnt()).isZero();
        return channel.readInbound();
    }

    private static ByteBuf packet(int code, byte[] body) {
        return Unpooled.buffer().writeInt(8 + body.length).writeInt(code).writeBytes(body);
    }

    private static ByteBuf packet(int code, String body) {
        return packet(code, body.getBytes(UTF_8));
    }

    private static void assertMalformed(Object message, String text) {
        assertThat(message)
                .isInstanceOfSatisfying(
                        ClientMessage.Malformed.class,
                        malformed -> assertThat(malformed.error().message()).contains(text));
    }

    @Test
    void decodes_a_startup_message() {
        assertThat(decode(packet(V3_0, "user\0alice\0database\0shop\0\0")))
                .isEqualTo(
                        new ClientMessage.Startup(ProtocolVersion.V3_0, Map.of("user", "alice", "database", "shop")));
    }

    @Test
    void decodes_a_startup_message_that_comes_byte_by_byte() {
        ByteBuf whole = packet(0x0003_0002, "user\0alice\0\0");
        while (whole.readableBytes() > 1) {
            channel.writeInbound(Unpooled.buffer(1).writeByte(whole.readByte()));
            assertThat(channel.<Object>readInbound()).isNull();
        }
        assertThat(decode(whole)).isEqualTo(new ClientMessage.Startup(ProtocolVersion.V3_2, Map.of("user", "alice")));
    }

    @Test
    void decodes_the_encryption_requests() {
        assertThat(decode(packet(80877103, ""))).isEqualTo(new ClientMessage.SslRequest());
        assertThat(decode(packet(80877104, ""))).isEqualTo(new ClientMessage.GssRequest());
    }

    @Test
    void decodes_short_and_long_cancel_requests() {
        assertThat(decode(packet(80877102, new byte[] {0, 0, 0, 7, 1, 2, 3, 4})))
                .isEqualTo(new ClientMessage.CancelRequest(new CancelKey(7, new byte[] {1, 2, 3, 4})));
        byte[] body = new byte[4 + 256];
        assertThat(decode(packet(80877102, body)))
                .isEqualTo(new ClientMessage.CancelRequest(new CancelKey(0, new byte[256])));
    }

    @Test
    void rejects_cancel_secrets_of_wrong_length() {
        assertMalformed(decode(packet(80877102, new byte[7])), "invalid length of cancel request");
        EmbeddedChannel other = new EmbeddedChannel(new StartupDecoder());
        other.writeInbound(packet(80877102, new byte[4 + 257]));
        assertMalformed(other.readInbound(), "invalid length of cancel request");
    }

    @Test
    void rejects_a_length_over_the_limit_at_the_header() {
        assertMalformed(decode(Unpooled.buffer().writeInt(10_001)), "invalid length of startup packet");
    }

    @Test
    void accepts_a_startup_packet_of_exactly_the_limit() {
        String filler = "user\0alice\0x\0";
        String value = "y".repeat(10_000 - 8 - filler.length() - 2);
        assertThat(decode(packet(V3_0, filler + value + "\0\0"))).isInstanceOf(ClientMessage.Startup.class);
    }

    @Test
    void rejects_negative_and_tiny_lengths() {
        assertMalformed(decode(Unpooled.buffer().writeInt(-1)), "invalid length of startup packet");
        EmbeddedChannel other = new EmbeddedChannel(new StartupDecoder());
        other.writeInbound(Unpooled.buffer().writeInt(7));
        assertMalformed(other.readInbound(), "invalid length of startup packet");
    }

    @Test
    void rejects_protocol_2() {
        assertMalformed(decode(packet(0x0002_0000, "\0")), "unsupported frontend protocol 2.0");
    }

    @Test
    void rejects_bytes_in_clear_behind_an_ssl_request() {
        assertMalformed(decode(packet(80877103, "").writeByte(0x16)), "received unencrypted data");
    }

    @Test
    void rejects_parameters_without_terminators() {
        assertMalformed(decode(packet(V3_0, "user\0alice")), "unterminated string");
        EmbeddedChannel other = new EmbeddedChannel(new StartupDecoder());
        other.writeInbound(packet(V3_0, "user\0alice\0\0rest"));
        assertMalformed(other.readInbound(), "expected terminator as last byte");
    }

    @Test
    void rejects_parameters_that_are_not_utf_8() {
        assertMalformed(decode(packet(V3_0, new byte[] {'u', 0, (byte) 0xC3, 0, 0})), "not valid UTF-8");
    }

    @Test
    void reads_nothing_after_a_malformed_packet() {
        assertMalformed(decode(Unpooled.buffer().writeInt(0)), "invalid length");
        assertThat(decode(packet(V3_0, "user\0alice\0\0"))).isNull();
    }
}
