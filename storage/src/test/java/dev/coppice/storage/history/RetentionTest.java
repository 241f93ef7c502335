package dev.coppice.storage.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.OutsideHistoryException;
import dev.coppice.storage.layout.BranchPoint;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RetentionTest {
    private static final TimelineId A = new TimelineId("a");
    private static final TimelineId B = new TimelineId("b");
    private static final TimelineId C = new TimelineId("c");
    private static final TimelineId D = new TimelineId("d");

    private final Retention retention = new Retention();

    private static BranchPoint point(TimelineId id, long lsn) {
        return new BranchPoint(id, new Lsn(lsn));
    }

    private static List<Lsn> lsns(long... values) {
        List<Lsn> lsns = new ArrayList<>();
        for (long value : values) {
            lsns.add(new Lsn(value));
        }
        return lsns;
    }

    @Test
    void a_point_before_a_child_began_is_pinned_where_it_lies() {
        retention.add(A, null);
        retention.add(B, point(A, 100));
        retention.add(C, point(B, 50));
        retention.add(D, point(B, 150));
        assertThat(retention.pins(A)).containsExactlyElementsOf(lsns(50, 100));
        assertThat(retention.pins(B)).containsExactlyElementsOf(lsns(50, 150));
        try (Lease _ = retention.lease(point(D, 70), () -> {});
                Lease _ = retention.lease(point(D, 130), () -> {});
                Lease _ = retention.lease(point(C, 60), () -> {})) {
            assertThat(retention.pins(A)).containsExactlyElementsOf(lsns(50, 70, 100));
            assertThat(retention.pins(B)).containsExactlyElementsOf(lsns(50, 70, 130, 150));
        }
        assertThat(retention.pins(A)).containsExactlyElementsOf(lsns(50, 100));
    }

    @Test
    void a_child_that_goes_unpins_and_says_so_to_whom_it_concerns() {
        retention.add(A, null);
        retention.add(B, point(A, 100));
        retention.add(C, point(B, 50));
        assertThat(retention.takeUnpinned(A)).isFalse();
        retention.remove(C);
        assertThat(retention.pins(A)).containsExactlyElementsOf(lsns(100));
        assertThat(retention.takeUnpinned(A)).isTrue();
        assertThat(retention.takeUnpinned(A)).isFalse();
        assertThat(retention.takeUnpinned(B)).isTrue();
        assertThat(retention.children(B)).isEmpty();
        assertThat(retention.children(A)).containsExactly(B);
    }

    @Test
    void a_lease_holds_until_the_last_of_its_point_is_closed() {
        Lease first = retention.lease(point(A, 7), () -> {});
        Lease second = retention.lease(point(A, 7), () -> {});
        first.close();
        first.close();
        assertThat(retention.isPinned(A, new Lsn(7))).isTrue();
        second.close();
        assertThat(retention.isPinned(A, new Lsn(7))).isFalse();
    }

    @Test
    void a_refused_lease_pins_nothing() {
        assertThatThrownBy(() -> retention.lease(point(A, 7), () -> {
                    throw new OutsideHistoryException("gone");
                }))
                .isInstanceOf(OutsideHistoryException.class);
        assertThat(retention.pins(A)).isEmpty();
    }

    @Test
    void a_point_is_either_pinned_before_the_horizon_passes_it_or_refused() throws Exception {
        AtomicLong horizon = new AtomicLong();
        ConcurrentSkipListSet<Long> collected = new ConcurrentSkipListSet<>();
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        long last = 3_000;
        Thread collector = Thread.ofPlatform()
                .uncaughtExceptionHandler((thread, e) -> failures.add(e))
                .start(() -> {
                    for (long to = 1; to <= last; to++) {
                        collect(to, horizon, collected);
                    }
                });
        Random random = new Random(1);
        int held = 0;
        while (collector.isAlive()) {
            long lsn = horizon.get() + random.nextInt(3);
            try (Lease _ = retention.lease(point(A, lsn), () -> refuseBelow(horizon.get(), lsn))) {
                held++;
                Thread.onSpinWait();
                assertThat(collected).doesNotContain(lsn);
            } catch (OutsideHistoryException e) {
                assertThat(lsn).isLessThan(horizon.get());
            }
        }
        collector.join();
        assertThat(failures).isEmpty();
        assertThat(held).isPositive();
    }

    private void collect(long to, AtomicLong horizon, ConcurrentSkipListSet<Long> collected) {
        List<Lsn> pins = new ArrayList<>();
        retention.locked(() -> {
            horizon.set(to);
            pins.addAll(retention.pins(A));
        });
        for (long lsn = Math.max(0, to - 5); lsn < to; lsn++) {
            if (!pins.contains(new Lsn(lsn))) {
                collected.add(lsn);
            }
        }
    }

    private void refuseBelow(long horizon, long lsn) {
        if (lsn < horizon && !retention.isPinned(A, new Lsn(lsn))) {
            throw new OutsideHistoryException("gone");
        }
    }
}
