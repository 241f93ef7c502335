package dev.coppice.proxy.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.proxy.pool.PoolBench.Messages;
import dev.coppice.proxy.pool.sql.Inspection;
import dev.coppice.proxy.pool.sql.SqlInspector;
import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * COPY from a pooled client, however its messages and the server's answers meet: what the client hears is what Postgres would
 * have said to it, and no Sync is answered twice or not at all.
 */
class PooledCopyTest {
    @BeforeAll
    static void start() {
        PoolBench.start();
    }

    @AfterAll
    static void stop() {
        PoolBench.stop();
    }

    private static final int SCHEDULES = 300;

    /** A letter for each message of the client. */
    private static byte[] message(char letter) {
        return switch (letter) {
            case 'q' -> Messages.query("copy t from stdin");
            case 'w' -> Messages.query("select 1; copy t from stdin; copy u from stdin; select 2");
            case 'n' -> Messages.query("fail; copy t from stdin");
            case 'Q' -> Messages.query("select 1");
            case 'o' -> Messages.parse("", "copy t from stdin");
            case 'O' -> Messages.parse("s", "COPY t FROM STDIN");
            case 'x' -> Messages.parse("", "fail copy t from stdin");
            case 'P' -> Messages.parse("", "select 1");
            case 'B' -> Messages.bind("");
            case 'b' -> Messages.bind("s");
            case 'E' -> Messages.execute();
            case 'S' -> Messages.sync();
            case 'H' -> Messages.message('H', "");
            case 'd' -> Messages.message('d', "row\n");
            case 'D' -> Messages.message('d', "bad\n");
            case 'c' -> Messages.message('c', "");
            case 'f' -> Messages.message('f', "no\0");
            default -> throw new IllegalArgumentException(String.valueOf(letter));
        };
    }

    private static String answeredDirectly(String script) {
        ModelPostgres postgres = new ModelPostgres();
        ByteArrayOutputStream replies = new ByteArrayOutputStream();
        for (int i = 0; i < script.length(); i++) {
            postgres.receive(message(script.charAt(i)));
        }
        while (postgres.hasRequest()) {
            replies.writeBytes(postgres.step());
        }
        return Messages.types(replies.toByteArray());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "qddc",
                "qSddcS",
                "qdHdcQ",
                "qdf",
                "qdDc",
                "qddcqddcS",
                "nS",
                "nddcS",
                "nQ",
                "qQQ",
                "qPBES",
                "wddcdcS",
                "wdcdf",
                "wdfdcS",
                "wdDdcdcS",
                "wdcSdcQ",
                "oBESddcS",
                "oBEddcS",
                "oBEddcSPBES",
                "oBESdcSoBESdcS",
                "oBEdfS",
                "oBESdDcSQ",
                "oBEdDcSPBES",
                "xBESdcSPBES",
                "xBEdcS",
                "PBEoBEdcSPBES",
                "oBEQSQ",
                "oBEPBESQ",
                "ObESdcSbESdcS",
                "ObEdcbEdcS",
                "oBEHSdcS"
            })
    void a_copy_is_answered_as_by_postgres(String script) {
        String expected = answeredDirectly(script);
        long seed = Long.getLong("coppice.seed", System.nanoTime());
        for (int i = 0; i < SCHEDULES; i++) {
            Random random = new Random(seed + i);
            PoolBench bench = new PoolBench();
            PoolBench.Client client = bench.client();
            client.received();
            // From everything at once to an answer to each.
            int answers = random.nextInt(4);
            ByteArrayOutputStream together = new ByteArrayOutputStream();
            for (int at = 0; at < script.length(); at++) {
                together.writeBytes(message(script.charAt(at)));
                if (random.nextBoolean()) {
                    client.send(together.toByteArray());
                    together.reset();
                    for (int j = random.nextInt(answers + 1); j > 0; j--) {
                        bench.server(random.nextInt(2)).answer();
                    }
                }
            }
            client.send(together.toByteArray());
            bench.settle();
            assertThat(Messages.types(client.received()))
                    .as("-Dcoppice.seed=%s", seed + i)
                    .isEqualTo(expected);
            client.close();
            bench.assertGoneWithoutATrace();
        }
    }

    @Test
    void what_comes_before_a_copy_has_begun_is_held_up_to_a_limit() {
        PoolBench bench = new PoolBench();
        PoolBench.Client client = bench.client();
        client.send(message('q'));
        byte[] rows = Messages.message('d', "x".repeat(8000));
        int sent = 0;
        while (client.channel.config().isAutoRead()) {
            client.send(rows);
            assertThat(++sent).isLessThan(10);
        }
        bench.settle();
        assertThat(client.channel.config().isAutoRead()).isTrue();
        client.send(message('c'));
        bench.settle();
        assertThat(Messages.types(client.received())).isEqualTo("S K ZI G C ZI");
        bench.assertGoneWithoutATrace();
    }

    @Test
    void ordinary_requests_do_not_wait_for_each_other() {
        PoolBench bench = new PoolBench();
        PoolBench.Client client = bench.client();
        String requests = "PBESPBESQ";
        for (int i = 0; i < requests.length(); i++) {
            client.send(message(requests.charAt(i)));
        }
        int arrived = 0;
        while (bench.server(1).postgres.hasRequest() || bench.server(0).postgres.hasRequest()) {
            for (int i = 0; i < 2; i++) {
                if (bench.server(i).postgres.hasRequest()) {
                    bench.server(i).postgres.step();
                    arrived++;
                }
            }
        }
        assertThat(arrived).isEqualTo(requests.length());
        bench.assertNothingHeld();
    }

    @Test
    void only_a_copy_makes_others_wait() {
        assertThat(List.of("select copy", "explain select 1", "with copy as (select 1) table copy"))
                .allMatch(sql -> !inspected(sql).copies());
        assertThat(List.of("copy t from stdin", " /* x */ COPY t FROM STDIN", "select 1; copy t from stdin"))
                .allMatch(sql -> inspected(sql).copies());
    }

    private static Inspection inspected(String sql) {
        byte[] bytes = sql.getBytes(java.nio.charset.StandardCharsets.UTF_8);
        return SqlInspector.inspect(io.netty.buffer.Unpooled.wrappedBuffer(bytes), 0, bytes.length);
    }
}
