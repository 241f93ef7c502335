package dev.coppice.proxy.relay;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RelayTest {
    private final EmbeddedChannel client = new EmbeddedChannel();
    private final EmbeddedChannel compute = new EmbeddedChannel();
    private final List<SessionEnd> ends = new ArrayList<>();
    private final Relay relay;

    RelayTest() {
        client.config().setWriteBufferWaterMark(new WriteBufferWaterMark(4, 8));
        relay = Relay.start(client, compute, ends::add);
    }

    @AfterEach
    void finish() {
        client.finishAndReleaseAll();
        compute.finishAndReleaseAll();
    }

    private static ByteBuf bytes(String text) {
        return Unpooled.copiedBuffer(text, UTF_8);
    }

    private static String sent(EmbeddedChannel channel) {
        StringBuilder all = new StringBuilder();
        for (ByteBuf buffer = channel.readOutbound(); buffer != null; buffer = channel.readOutbound()) {
            all.append(buffer.toString(UTF_8));
            buffer.release();
        }
        return all.toString();
    }

    @Test
    void moves_the_very_buffers_both_ways() {
        ByteBuf up = bytes("query");
        ByteBuf down = bytes("answer");
        client.writeInbound(up);
        compute.writeInbound(down);
        assertThat(compute.<ByteBuf>readOutbound()).isSameAs(up);
        assertThat(client.<ByteBuf>readOutbound()).isSameAs(down);
        assertThat(relay.bytesFromClient()).isEqualTo(5);
        assertThat(relay.bytesFromCompute()).isEqualTo(6);
        up.release();
        down.release();
    }

    @Test
    void stops_reading_the_compute_while_the_client_does_not_take_more() {
        // Written but not flushed: as if the client's socket were full.
        client.write(bytes("more than eight bytes"));
        assertThat(client.isWritable()).isFalse();
        client.runPendingTasks();
        assertThat(compute.config().isAutoRead()).isFalse();
        client.flush();
        client.runPendingTasks();
        assertThat(compute.config().isAutoRead()).isTrue();
    }

    @Test
    void a_client_that_goes_takes_its_compute_connection_with_it() {
        client.writeInbound(bytes("X"));
        client.close();
        compute.runPendingTasks();
        assertThat(sent(compute)).isEqualTo("X");
        assertThat(compute.isOpen()).isFalse();
        assertThat(ends).containsExactly(SessionEnd.CLIENT);
    }

    @Test
    void a_client_between_queries_is_told_that_its_compute_has_gone() {
        compute.writeInbound(bytes("...Z\0\0\0\5I"));
        compute.close();
        client.runPendingTasks();
        assertThat(sent(client)).startsWith("...Z\0\0\0\5IE").contains("C08006\0");
        assertThat(client.isOpen()).isFalse();
        assertThat(ends).containsExactly(SessionEnd.COMPUTE);
    }

    @Test
    void nothing_is_put_into_the_middle_of_a_message() {
        compute.writeInbound(bytes("D\0\0\1\0half a row"));
        compute.close();
        client.runPendingTasks();
        assertThat(sent(client)).isEqualTo("D\0\0\1\0half a row");
        assertThat(client.isOpen()).isFalse();
    }

    @Test
    void a_compute_that_closes_after_a_goodbye_was_not_lost() {
        client.writeInbound(bytes("X\0\0\0\4"));
        compute.close();
        client.runPendingTasks();
        assertThat(sent(client)).isEmpty();
        assertThat(client.isOpen()).isFalse();
        assertThat(ends).containsExactly(SessionEnd.CLIENT);
    }

    @Test
    void a_shutdown_tells_an_idle_client_and_closes_both() {
        relay.shutDown();
        assertThat(sent(client)).contains("C57P01\0");
        assertThat(client.isOpen()).isFalse();
        assertThat(compute.isOpen()).isFalse();
        assertThat(ends).containsExactly(SessionEnd.SHUTDOWN);
    }

    @Test
    void bytes_that_arrive_after_the_end_are_released() {
        ByteBuf late = bytes("late");
        EmbeddedChannel otherClient = new EmbeddedChannel();
        EmbeddedChannel otherCompute = new EmbeddedChannel();
        Relay other = Relay.start(
                otherClient, otherCompute, _ -> otherCompute.pipeline().fireChannelRead(late));
        other.shutDown();
        assertThat(late.refCnt()).isZero();
        otherClient.finishAndReleaseAll();
        otherCompute.finishAndReleaseAll();
    }

    @Test
    void recognises_messages_only_whole_and_last() {
        assertThat(MessageTail.isTerminate(bytes("X\0\0\0\4"))).isTrue();
        assertThat(MessageTail.isTerminate(bytes("\0\0\0\4"))).isFalse();
        assertThat(MessageTail.isTerminate(bytes("X\0\0\0\5"))).isFalse();
        assertThat(MessageTail.isReadyForQuery(bytes("Z\0\0\0\5T"))).isTrue();
        assertThat(MessageTail.isReadyForQuery(bytes("Z\0\0\0\5x"))).isFalse();
        assertThat(MessageTail.isReadyForQuery(bytes("\0\0\0\5I"))).isFalse();
        assertThat(MessageTail.isReadyForQuery(bytes("Z\0\0\0\5I."))).isFalse();
    }
}
