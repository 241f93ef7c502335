package dev.coppice.storage.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.Lsn;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MomentsTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private static Moment moment(long second, long lsn) {
        return new Moment(START.plusSeconds(second), new Lsn(lsn));
    }

    private static Moments three() {
        return Moments.of(List.of(moment(10, 100), moment(20, 200), moment(30, 300)));
    }

    @Test
    void gives_the_nearest_below_a_time_or_a_position() {
        Moments moments = three();
        assertThat(moments.atOrBefore(START.plusSeconds(9))).isEmpty();
        assertThat(moments.atOrBefore(START.plusSeconds(20))).contains(moment(20, 200));
        assertThat(moments.atOrBefore(START.plusSeconds(29))).contains(moment(20, 200));
        assertThat(moments.atOrBefore(START.plusSeconds(900))).contains(moment(30, 300));
        assertThat(moments.atOrBefore(new Lsn(99))).isEmpty();
        assertThat(moments.atOrBefore(new Lsn(250))).contains(moment(20, 200));
        assertThat(moments.atOrAfter(new Lsn(200))).contains(moment(20, 200));
        assertThat(moments.atOrAfter(new Lsn(201))).contains(moment(30, 300));
        assertThat(moments.atOrAfter(new Lsn(301))).isEmpty();
    }

    @Test
    void begins_at_the_horizon() {
        assertThat(three().from(new Lsn(250)).list()).containsExactly(moment(20, 200), moment(30, 300));
        assertThat(three().from(new Lsn(50)).list()).hasSize(3);
        assertThat(Moments.EMPTY.from(new Lsn(50)).list()).isEmpty();
    }

    @Test
    void a_clock_that_went_back_leaves_the_promise_true() {
        Moments moments = three().with(START.plusSeconds(5), new Lsn(400));
        assertThat(moments.list().getLast()).isEqualTo(moment(30, 400));
        assertThat(moments.atOrBefore(START.plusSeconds(29))).contains(moment(20, 200));
    }

    @Test
    void no_new_wal_is_no_new_moment() {
        assertThat(three().with(START.plusSeconds(99), new Lsn(300)).list()).hasSize(3);
    }

    @Test
    void stored_moments_out_of_order_are_refused() {
        assertThatThrownBy(() -> Moments.of(List.of(moment(10, 100), moment(9, 200))))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Moments.of(List.of(moment(10, 100), moment(11, 100))))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void a_month_of_minutes_stays_small_dense_at_its_end_and_without_holes() {
        long seed = Long.getLong("coppice.seed", System.nanoTime());
        Random random = new Random(seed);
        Moments moments = Moments.EMPTY;
        long lsn = 1 << 20;
        int minutes = 30 * 24 * 60;
        for (int minute = 0; minute < minutes; minute++) {
            lsn += minute % 1440 < 700 ? 1000 : 1_000_000 + random.nextInt(1_000_000);
            moments = moments.with(START.plusSeconds(minute * 60L), new Lsn(lsn));
        }
        List<Moment> list = moments.list();
        assertThat(list).hasSizeLessThanOrEqualTo(Moments.MAX);
        assertThat(Moments.of(list).list()).isEqualTo(list);
        assertThat(list.getFirst().time()).isEqualTo(START);
        Instant end = list.getLast().time();
        for (int i = 1; i < list.size(); i++) {
            Duration gap = Duration.between(list.get(i - 1).time(), list.get(i).time());
            Duration age = Duration.between(list.get(i - 1).time(), end);
            assertThat(gap)
                    .as("-Dcoppice.seed=%d, %s ago", seed, age)
                    .isLessThanOrEqualTo(age.dividedBy(10).plusMinutes(1));
            long wal = list.get(i).lsn().value() - list.get(i - 1).lsn().value();
            assertThat(wal).as("-Dcoppice.seed=%d", seed).isLessThan(lsn / 100);
        }
    }
}
