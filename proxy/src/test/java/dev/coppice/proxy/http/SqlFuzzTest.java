package dev.coppice.proxy.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.coppice.proxy.Mutations;
import dev.coppice.proxy.http.request.BadRequestException;
import dev.coppice.proxy.http.request.ConnectionString;
import dev.coppice.proxy.http.request.SqlRequest;
import dev.coppice.proxy.http.websocket.WebSocketStream;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.ByteArrayInputStream;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.MethodSource;

/** Bodies of {@code /sql}, connection strings, and frames of WebSockets. */
class SqlFuzzTest {
    private static final int ROUNDS = 10_000;

    private final UnpooledByteBufAllocator alloc = new UnpooledByteBufAllocator(false, true);

    private long heldBytes() {
        return alloc.metric().usedHeapMemory() + alloc.metric().usedDirectMemory();
    }

    private static List<byte[]> texts(String... texts) {
        return List.of(texts).stream().map(text -> text.getBytes(UTF_8)).toList();
    }

    static List<byte[]> bodySeeds() {
        return texts(
                "{\"query\":\"select $1::int\",\"params\":[1,null,true,\"x\",[1,\"a\\\"\",[null]],{\"a\":[1]}]}",
                "{\"queries\":[{\"query\":\"a\"},{\"query\":\"b\",\"params\":[\"\\u0000\"],\"arrayMode\":true}]}",
                "{\"query\":\"\\ud800\",\"params\":[1e400,-0.0,[[[[[]]]]]],\"x\":{\"y\":[]}}",
                "{\"arrayMode\":[1e4],\"x\":{\"query\":\"a\"},\"query\":\"b\"}",
                "[{}]",
                "{\"query\":1}{");
    }

    /** A body is refused, or becomes messages whose lengths are right, and as many as there are statements. */
    @MethodSource("bodySeeds")
    @FuzzTest
    void body(byte[] input) {
        SqlRequest request;
        try {
            request = SqlRequest.parse(new ByteArrayInputStream(input));
        } catch (BadRequestException _) {
            return;
        }
        ByteBuf messages = StatementMessages.encode(alloc, Optional.empty(), request.statements());
        StringBuilder types = new StringBuilder();
        while (messages.isReadable()) {
            types.append((char) messages.readByte());
            messages.skipBytes(messages.readInt() - Integer.BYTES);
        }
        messages.release();
        assertThat(types.toString())
                .isEqualTo("PBDE".repeat(request.statements().size()) + "S");
        assertThat(heldBytes()).isZero();
    }

    static List<byte[]> connectionSeeds() {
        return texts(
                "postgresql://alice:secret@ep-a.localhost/shop?sslmode=require&options=endpoint%3Dep-a",
                "postgres://a%00:b@[::1]:5432/x?application_name=%ff",
                "postgresql://u@h",
                "postgresql://u:p@h:99999/%2F?a=b&a=c#d");
    }

    @MethodSource("connectionSeeds")
    @FuzzTest
    void connection(byte[] input) {
        try {
            ConnectionString connection = ConnectionString.parse(new String(input, UTF_8));
            assertThat(connection.host()).isNotNull();
            assertThat(connection.parameters()).containsKey("user").doesNotContainKey("password");
        } catch (BadRequestException e) {
            assertThat(e).hasMessageNotContaining("Exception");
        }
    }

    static List<byte[]> frameSeeds() {
        HexFormat hex = HexFormat.of();
        return List.of(
                hex.parseHex("828401020304" + "00000000"),
                hex.parseHex("02810000000041" + "898100000000" + "42" + "808100000000" + "43"),
                hex.parseHex("82fe000401020304" + "05060708" + "888200000000" + "03e8"),
                hex.parseHex("82ff000000000000000401020304" + "05060708"),
                hex.parseHex("8a8000000000" + "818000000000"));
    }

    /** Nothing comes out that did not go in, and no frame is kept. */
    @MethodSource("frameSeeds")
    @FuzzTest
    void frames(byte[] input) {
        EmbeddedChannel channel = new EmbeddedChannel(new WebSocketStream());
        channel.config().setAllocator(alloc);
        int passed = 0;
        for (int at = 0; at < input.length && channel.isOpen(); ) {
            int piece = Math.min(input.length - at, 1 + (at % 7));
            channel.writeInbound(alloc.buffer(piece).writeBytes(input, at, piece));
            at += piece;
            assertThat(heldBytes()).isLessThan(16 << 10);
            for (ByteBuf in = channel.readInbound(); in != null; in = channel.readInbound()) {
                passed += ByteBufUtil.getBytes(in).length;
                in.release();
            }
        }
        assertThat(passed).isLessThanOrEqualTo(input.length);
        channel.close();
        channel.finishAndReleaseAll();
        assertThat(heldBytes()).isZero();
    }

    @Test
    void mutated_requests_are_refused_or_right() {
        Mutations.feed(ROUNDS, bodySeeds(), this::body);
        Mutations.feed(ROUNDS, connectionSeeds(), this::connection);
        Mutations.feed(ROUNDS, frameSeeds(), this::frames);
    }
}
