package dev.coppice.masking.rule;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.masking.Seed;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LikePatternTest {
    @ParameterizedTest
    @CsvSource({
        "abc, abc, true",
        "abc, a%, true",
        "abc, %c, true",
        "abc, a_c, true",
        "abc, a_, false",
        "abc, %%b%, true",
        "abc, ABC, false",
        "a%c, a\\%c, true",
        "abc, a\\%c, false",
        "a_c, a\\_c, true",
        "a\\, a\\, true",
        "'', %, true",
        "'', _, false",
        "'', '', true",
        "aXbXc, %X_, true",
        "𝄞é, __, true",
        "a.c, a.c, true",
        "abc, a.c, false",
        "'a\nb', a%b, true",
    })
    void it_means_what_like_means(String text, String pattern, boolean matches) {
        assertThat(new LikePattern(pattern).matches(text)).isEqualTo(matches);
    }

    @Test
    void it_agrees_with_trying_everything() {
        long seed = Seed.next();
        Random random = Seed.random(seed);
        for (int i = 0; i < 20_000; i++) {
            String text = draw(random, "ab");
            String pattern = draw(random, "ab%_");
            assertThat(new LikePattern(pattern).matches(text))
                    .as("%s LIKE %s, %s", text, pattern, Seed.message(seed))
                    .isEqualTo(tried(text, pattern));
        }
    }

    private static String draw(Random random, String letters) {
        StringBuilder drawn = new StringBuilder();
        for (int i = random.nextInt(8); i > 0; i--) {
            drawn.append(letters.charAt(random.nextInt(letters.length())));
        }
        return drawn.toString();
    }

    private static boolean tried(String text, String pattern) {
        if (pattern.isEmpty()) {
            return text.isEmpty();
        }
        char first = pattern.charAt(0);
        if (first == '%') {
            return tried(text, pattern.substring(1)) || !text.isEmpty() && tried(text.substring(1), pattern);
        }
        return !text.isEmpty()
                && (first == '_' || first == text.charAt(0))
                && tried(text.substring(1), pattern.substring(1));
    }

    /** A regular expression of so many wildcards would not end. */
    @Test
    void many_wildcards_on_a_long_text_end() {
        assertThat(new LikePattern("%a".repeat(200) + "%b").matches("a".repeat(20_000)))
                .isFalse();
        assertThat(new LikePattern("%a".repeat(200) + "%").matches("a".repeat(20_000)))
                .isTrue();
    }
}
