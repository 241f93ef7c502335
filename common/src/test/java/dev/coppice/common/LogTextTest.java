package dev.coppice.common;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class LogTextTest {
    @Test
    void names_that_are_plain_stay_as_they_are() {
        for (String name : List.of("alice", "ep-main-1a2b", "me@example.org", "10.0.0.1:5432", "a_b/c+d~e")) {
            assertThat(LogText.field(name)).isEqualTo(name);
        }
    }

    @Test
    void whatever_could_end_a_field_or_a_line_is_escaped() {
        assertThat(LogText.field("")).isEqualTo("\"\"");
        assertThat(LogText.field("bob outcome=ok")).isEqualTo("\"bob outcome=ok\"");
        assertThat(LogText.field("a\"b\\c")).isEqualTo("\"a\\\"b\\\\c\"");
        assertThat(LogText.field("a\r\nb\u0000\u001b[31m")).isEqualTo("\"a\\u000D\\u000Ab\\u0000\\u001B[31m\"");
        assertThat(LogText.field("x\u202ey\u2028z\u0085")).isEqualTo("\"x\\u202Ey\\u2028z\\u0085\"");
        assertThat(LogText.field("\ud800")).isEqualTo("\"\\uD800\"");
        assertThat(LogText.field("Zoë 猫")).isEqualTo("\"Zoë 猫\"");
    }

    @Test
    void any_text_is_one_field() {
        Pattern one = Pattern.compile("[A-Za-z0-9_.:/@+,~-]+|\"([^\"\\\\\\p{Cc}\\p{Cf}]|\\\\.)*\"");
        long seed = Long.getLong("coppice.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int i = 0; i < 2000; i++) {
            StringBuilder text = new StringBuilder();
            random.ints(random.nextInt(20), 0, 256).forEach(c -> text.append((char) (c < 200 ? c : c * 300)));
            assertThat(LogText.field(text.toString()))
                    .as("-Dcoppice.seed=%d", seed)
                    .matches(one);
        }
    }
}
