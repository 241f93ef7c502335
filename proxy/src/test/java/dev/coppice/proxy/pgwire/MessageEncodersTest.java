package dev.coppice.proxy.pgwire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.SqlState;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Bytes as https://www.postgresql.org/docs/current/protocol-message-formats.html has them. */
class MessageEncodersTest {
    private final ByteBufAllocator alloc = UnpooledByteBufAllocator.DEFAULT;

    private static void assertBytes(ByteBuf actual, String expected) {
        assertThat(actual.toString(ISO_8859_1)).isEqualTo(expected);
        assertThat(actual.release()).isTrue();
    }

    @Test
    void encodes_errors_with_and_without_a_hint() {
        assertBytes(
                ServerMessages.error(alloc, PgError.of(SqlState.INVALID_PASSWORD, "no")),
                "E\0\0\0" + (char) (4 + 7 + 7 + 7 + 4 + 1) + "SFATAL\0VFATAL\0C28P01\0Mno\0\0");
        assertBytes(
                ServerMessages.error(alloc, PgError.of(SqlState.INVALID_PASSWORD, "no", "why")),
                "E\0\0\0" + (char) (4 + 7 + 7 + 7 + 4 + 5 + 1) + "SFATAL\0VFATAL\0C28P01\0Mno\0Hwhy\0\0");
    }

    @Test
    void encodes_the_authentication_messages() {
        assertBytes(ServerMessages.saslMechanisms(alloc, List.of("A", "B")), "R\0\0\0\015\0\0\0\012A\0B\0\0");
        assertBytes(ServerMessages.saslContinue(alloc, "r=1"), "R\0\0\0\013\0\0\0\013r=1");
        assertBytes(ServerMessages.saslFinalAndOk(alloc, "v=2"), "R\0\0\0\013\0\0\0\014v=2R\0\0\0\010\0\0\0\0");
    }

    @Test
    void encodes_version_negotiation_and_session_start() {
        assertBytes(
                ServerMessages.negotiateProtocolVersion(alloc, ProtocolVersion.V3_2, List.of("_pq_.x")),
                "v\0\0\0\023\0\3\0\2\0\0\0\1_pq_.x\0");
        ByteBuf out = alloc.buffer();
        ServerMessages.appendBackendKeyData(out, new CancelKey(258, new byte[] {1, 2, 3, 4}));
        ServerMessages.appendReadyForQuery(out, (byte) 'I');
        assertBytes(out, "K\0\0\0\014\0\0\1\2\1\2\3\4Z\0\0\0\5I");
    }

    @Test
    void encodes_the_messages_to_a_compute() {
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("user", "a");
        assertBytes(ClientMessages.startup(alloc, parameters), "\0\0\0\020\0\3\0\0user\0a\0\0");
        assertBytes(
                ClientMessages.cancelRequest(alloc, new CancelKey(1, new byte[] {9, 9, 9, 9})),
                "\0\0\0\020\4\322\026\056\0\0\0\1\t\t\t\t");
        assertBytes(ClientMessages.saslInitialResponse(alloc, "M", "x"), "p\0\0\0\013M\0\0\0\0\1x");
        assertBytes(ClientMessages.saslResponse(alloc, "xy"), "p\0\0\0\6xy");
    }
}
