package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class PostmasterPidFileTest {
    private static final String WHOLE = "4711\n/data\n1763000000\n5432\n/run/ep-a\n\n  123456   65536\nready   \n";

    @Test
    void reads_a_server_that_accepts_connections() {
        assertThat(PostmasterPidFile.parse(WHOLE)).contains(new PostmasterPidFile(4711, true));
    }

    @Test
    void every_shorter_beginning_is_not_ready_and_never_half_a_pid() {
        int ready = WHOLE.indexOf("ready") + "ready".length();
        for (int length = 0; length < ready; length++) {
            String beginning = WHOLE.substring(0, length);
            assertThat(PostmasterPidFile.parse(beginning))
                    .as("\"%s\"", beginning)
                    .satisfiesAnyOf(
                            file -> assertThat(file).isEmpty(),
                            file -> assertThat(file).hasValueSatisfying(read -> {
                                assertThat(read.pid()).isEqualTo(4711);
                                assertThat(read.ready()).isFalse();
                            }));
        }
    }

    @Test
    void what_no_process_has_as_its_number_is_none() {
        for (String pid : new String[] {"0", "1", "-4711", "4194305", "99999999999999999999", "0x10", "", "4711a"}) {
            assertThat(PostmasterPidFile.parse(WHOLE.replaceFirst("4711", pid)))
                    .as(pid)
                    .isEmpty();
        }
    }

    @Test
    void any_bytes_are_a_file_or_none() {
        long seed = Long.getLong("coppice.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder(WHOLE);
            for (int change = random.nextInt(8); change >= 0; change--) {
                int at = random.nextInt(text.length());
                switch (random.nextInt(3)) {
                    case 0 -> text.setCharAt(at, (char) random.nextInt(0x3000));
                    case 1 -> text.insert(at, "9".repeat(random.nextInt(400)));
                    default -> text.setLength(at + 1);
                }
            }
            PostmasterPidFile.parse(text.toString())
                    .ifPresent(file ->
                            assertThat(file.pid()).as("-Dcoppice.seed=%s", seed).isBetween(2L, 4L << 20));
        }
    }

    @Test
    void a_starting_server_is_not_ready() {
        assertThat(PostmasterPidFile.parse(WHOLE.replace("ready   ", "starting")))
                .contains(new PostmasterPidFile(4711, false));
    }
}
