package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.TimelineId;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class TimelineClaimsTest {
    private static final TimelineId TIMELINE = new TimelineId("one");

    private final TimelineClaims claims = new TimelineClaims();

    @Test
    void the_second_is_told_who_has_it() throws Exception {
        TimelineClaim first = claims.take(TIMELINE, "ep-first");

        assertThatThrownBy(() -> claims.take(TIMELINE, "ep-second"))
                .isInstanceOf(ComputeException.class)
                .hasMessageContaining("ep-first")
                .hasMessageContaining("ep-second");

        first.close();
        assertThat(claims.take(TIMELINE, "ep-second").claimant()).isEqualTo("ep-second");
    }

    @Test
    void what_is_not_kept_goes_with_the_one_who_took_it() throws Exception {
        claims.take(TIMELINE, "ep").closeUnlessKept();
        assertThat(claims.isTaken(TIMELINE)).isFalse();

        TimelineClaim kept = claims.take(TIMELINE, "ep").keep();
        kept.closeUnlessKept();
        assertThat(claims.isTaken(TIMELINE)).isTrue();

        kept.close();
        assertThat(claims.isTaken(TIMELINE)).isFalse();
    }

    @Test
    void closing_a_claim_again_leaves_the_next_one_alone() throws Exception {
        TimelineClaim before = claims.take(TIMELINE, "ep");
        before.close();
        TimelineClaim after = claims.take(TIMELINE, "ep");

        before.close();

        assertThat(claims.isTaken(TIMELINE)).isTrue();
        after.close();
    }

    @Test
    void a_start_waits_while_what_is_left_of_an_earlier_one_goes() throws Exception {
        TimelineClaim cleaning = claims.takeToClean(TIMELINE);
        CompletableFuture<TimelineClaim> start = new CompletableFuture<>();
        Thread starter = Thread.ofVirtual().start(() -> {
            try {
                start.complete(claims.take(TIMELINE, "ep"));
            } catch (InterruptedException e) {
                start.completeExceptionally(e);
            }
        });

        assertThat(start).isNotDone();
        cleaning.close();

        starter.join();
        assertThat(start.get().claimant()).isEqualTo("ep");
    }
}
