package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PostmasterPidFileTest {
    private static final String WHOLE = "4711\n/data\n1763000000\n5432\n/run/ep-a\n\n  123456   65536\nready   \n";

    @Test
    void reads_a_server_that_accepts_connections() {
        assertThat(PostmasterPidFile.parse(WHOLE)).contains(new PostmasterPidFile(4711, "/run/ep-a", true));
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
                                assertThat(read.socketDirectory()).isIn("", "/run/ep-a");
                            }));
        }
    }

    @Test
    void a_starting_server_is_not_ready() {
        assertThat(PostmasterPidFile.parse(WHOLE.replace("ready   ", "starting")))
                .contains(new PostmasterPidFile(4711, "/run/ep-a", false));
    }
}
