package dev.coppice.proxy.http.request;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SqlRequestTest {
    private static SqlRequest parse(String json) {
        return SqlRequest.parse(new ByteArrayInputStream(json.getBytes(UTF_8)));
    }

    @Test
    void parameters_become_the_text_that_postgres_reads() {
        SqlRequest request = parse("""
                {"query": "select", "more": {"ignored": []}, "params":
                 ["text", 1.50, 1e400, true, null, {"a": [1]}, [1, "x\\"y\\\\", null, [true]], []]}""");
        assertThat(request.batch()).isFalse();
        assertThat(request.statements().getFirst().parameters())
                .containsExactly(
                        "text", "1.50", "1e400", "true", null, "{\"a\":[1]}", "{1,\"x\\\"y\\\\\",NULL,{true}}", "{}");
    }

    @Test
    void a_batch_keeps_the_order_and_each_array_mode() {
        SqlRequest request =
                parse("{\"queries\":[{\"query\":\"a\",\"arrayMode\":true},{\"params\":null,\"query\":\"b\"}]}");
        assertThat(request.batch()).isTrue();
        assertThat(request.statements()).extracting(SqlRequest.Statement::query).containsExactly("a", "b");
        assertThat(request.statements().getFirst().arrayMode()).hasValue(true);
        assertThat(request.statements().getLast().arrayMode()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "{",
                "{}",
                "{\"query\":1}",
                "{\"query\":null}",
                "{\"query\":\"a\",\"params\":{}}",
                "{\"query\":\"a\"} x",
                "{\"query\":\"a\\u0000\"}",
                "{\"query\":\"a\",\"params\":[\"\\u0000\"]}",
                "{\"queries\":[1]}",
                "{\"queries\":[{}]}",
                "{\"arrayMode\":[true],\"query\":\"a\"}",
                "{\"arrayMode\":{\"query\":\"a\"}}",
                "{\"query\":\"a\",\"arrayMode\":\"yes\"}",
                "{\"query\":\"a\",\"queries\":[]}",
                "{\"query\":\"a\",\"query\":\"b\"}",
                "{\"queries\":[],\"queries\":[]}",
                "{\"query\":\"a\",\"x\":1,\"x\":2}",
                "{\"queries\":[{\"query\":\"a\",\"params\":[],\"params\":[1]}]}"
            })
    void what_is_none_is_refused(String json) {
        assertThatThrownBy(() -> parse(json)).isInstanceOf(BadRequestException.class);
    }

    @Test
    void no_bytes_do_more_than_be_refused() {
        long seed = Long.getLong("coppice.seed", 20260105);
        Random random = new Random(seed);
        String valid = "{\"queries\":[{\"query\":\"select $1\",\"params\":[\"a\",[1,null],{\"k\":2.5}]}]}";
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = valid.getBytes(UTF_8);
            for (int changes = random.nextInt(4); changes >= 0; changes--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            try {
                assertThat(SqlRequest.parse(new ByteArrayInputStream(bytes, 0, 1 + random.nextInt(bytes.length)))
                                .statements())
                        .hasSizeLessThan(3);
            } catch (BadRequestException e) {
                assertThat(e).as("-Dcoppice.seed=" + seed).hasMessageMatching("(?s).+");
            }
        }
        String deep = "{\"query\":\"a\",\"params\":[" + "[".repeat(100_000);
        assertThatThrownBy(() -> parse(deep)).isInstanceOf(BadRequestException.class);
    }
}
