package dev.coppice.proxy.pgwire;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.List;
import org.junit.jupiter.api.Test;

class MessageDecodersTest {
    private static ByteBuf frame(char type, byte[] body) {
        return Unpooled.buffer().writeByte(type).writeInt(4 + body.length).writeBytes(body);
    }

    private static ByteBuf frame(char type, String body) {
        return frame(type, body.getBytes(UTF_8));
    }

    @Test
    void decodes_authentication_responses_and_terminate() {
        EmbeddedChannel channel = new EmbeddedChannel(new AuthenticationDecoder());
        ByteBuf input = Unpooled.wrappedBuffer(frame('p', "abc"), frame('X', ""));
        channel.writeInbound(input);
        assertThat(channel.<Object>readInbound())
                .isEqualTo(new ClientMessage.AuthenticationResponse("abc".getBytes(UTF_8)));
        assertThat(channel.<Object>readInbound()).isEqualTo(new ClientMessage.Terminate());
        assertThat(input.refCnt()).isZero();
    }

    @Test
    void rejects_other_and_overlong_messages_at_their_headers() {
        for (ByteBuf input : List.of(
                Unpooled.buffer().writeByte('Q'),
                Unpooled.buffer().writeByte('p').writeInt(1029),
                Unpooled.buffer().writeByte('p').writeInt(3),
                Unpooled.buffer().writeByte('X').writeInt(5))) {
            EmbeddedChannel channel = new EmbeddedChannel(new AuthenticationDecoder());
            channel.writeInbound(input);
            assertThat(channel.<Object>readInbound()).isInstanceOf(ClientMessage.Malformed.class);
            assertThat(input.refCnt()).isZero();
        }
    }

    @Test
    void decodes_what_a_compute_says_at_login() {
        EmbeddedChannel channel = new EmbeddedChannel(new ComputeDecoder());
        ByteBuf input = Unpooled.wrappedBuffer(
                frame('R', "\0\0\0\012SCRAM-SHA-256\0\0"),
                frame('R', "\0\0\0\013r=x"),
                frame('R', "\0\0\0\014v=y"),
                frame('R', "\0\0\0\0"),
                frame('R', "\0\0\0\5salt"),
                frame('K', "\0\0\0\7key!"),
                frame('Z', "I"));
        channel.writeInbound(input);
        assertThat(channel.inboundMessages())
                .containsExactly(
                        new ComputeMessage.SaslMechanisms(List.of("SCRAM-SHA-256")),
                        new ComputeMessage.SaslContinue("r=x"),
                        new ComputeMessage.SaslFinal("v=y"),
                        new ComputeMessage.AuthenticationOk(),
                        new ComputeMessage.UnsupportedAuthentication(5),
                        new ComputeMessage.BackendKeyData(new CancelKey(7, "key!".getBytes(UTF_8))),
                        new ComputeMessage.ReadyForQuery((byte) 'I'));
        assertThat(input.refCnt()).isZero();
    }

    @Test
    void passes_parameters_and_errors_on_whole() {
        EmbeddedChannel channel = new EmbeddedChannel(new ComputeDecoder());
        ByteBuf input = Unpooled.wrappedBuffer(frame('S', "TimeZone\0UTC\0"), frame('E', "SFATAL\0C3D000\0\0"));
        channel.writeInbound(input);
        ComputeMessage.Passed passed = channel.readInbound();
        assertThat(passed.frame()).isEqualTo(frame('S', "TimeZone\0UTC\0"));
        ComputeMessage.Refused refused = channel.readInbound();
        assertThat(refused.sqlState()).isEqualTo("3D000");
        assertThat(refused.frame()).isEqualTo(frame('E', "SFATAL\0C3D000\0\0"));
        passed.frame().release();
        refused.frame().release();
        assertThat(input.refCnt()).isZero();
    }

    @Test
    void a_compute_that_speaks_nonsense_is_malformed_and_leaks_nothing() {
        for (ByteBuf input : List.of(
                frame('K', "abc"),
                frame('R', "\0\0\0\012SCRAM"),
                frame('Z', ""),
                frame('E', "Sunterminated"),
                Unpooled.buffer().writeByte('S').writeInt(3),
                Unpooled.buffer().writeByte('S').writeInt(1 << 30))) {
            EmbeddedChannel channel = new EmbeddedChannel(new ComputeDecoder());
            channel.writeInbound(input);
            assertThat(channel.<Object>readInbound()).isInstanceOf(ComputeMessage.Malformed.class);
            assertThat(input.refCnt()).isZero();
        }
    }
}
