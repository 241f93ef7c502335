package dev.coppice.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.ChainTooLongException;
import dev.coppice.storage.fault.OutsideHistoryException;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.file.DirectoryEntry;
import dev.coppice.storage.file.FileKind;
import dev.coppice.storage.file.FileStatus;
import dev.coppice.storage.file.PageConsumer;
import dev.coppice.storage.journal.EntryType;
import dev.coppice.storage.layout.BranchPoint;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Chains as long as they may be, read on a stack as small as the one that serves computes. */
class DeepChainTest {
    private static final long SMALL_STACK = 256 << 10;

    private final TestDirectory directory = new TestDirectory();
    private final PageService service = PageService.open(directory.path().resolve("timelines"));

    @AfterEach
    void clean_up() {
        service.close();
        directory.close();
    }

    @Test
    void the_last_of_a_chain_reads_all_and_no_longer_chain_can_be_made() throws Exception {
        Timeline root = service.createRoot(new TimelineId("t-0"));
        root.beginEpoch(RealPostgres.owner());
        Journaling writer = Journaling.to(root);
        byte[] page = new byte[Timeline.BLOCK_SIZE];
        Arrays.fill(page, (byte) 7);
        writer.append(EntryType.MKDIR, "base", 0, 0);
        writer.append(EntryType.MKDIR, "base/1", 0, 0);
        writer.page("base/1/1", 0, page);
        writer.put("PG_VERSION", "18".getBytes(StandardCharsets.US_ASCII));
        root.endEpoch();
        Lsn point = Lsn.parse("0/100");
        TimelineId last = root.id();
        for (int depth = 1; depth <= Timeline.MAX_DEPTH; depth++) {
            last = service.createBranch(new TimelineId("t-" + depth), new BranchPoint(last, point))
                    .id();
        }
        Timeline deepest = service.timeline(last);
        assertThat(deepest.depth()).isEqualTo(Timeline.MAX_DEPTH);

        onASmallStack(() -> {
            assertThat(deepest.stat("base/1/1")).isEqualTo(FileStatus.file(Timeline.BLOCK_SIZE));
            assertThat(deepest.stat("base/1/2").kind()).isEqualTo(FileKind.ABSENT);
            assertThat(deepest.readFile("PG_VERSION"))
                    .hasValueSatisfying(
                            content -> assertThat(content).isEqualTo("18".getBytes(StandardCharsets.US_ASCII)));
            List<Byte> read = new ArrayList<>();
            deepest.readPages("base/1/1", 0, 1, new PageConsumer() {
                @Override
                public void zero(long block) {}

                @Override
                public void page(long block, long stamp, ByteBuffer bytes) {
                    read.add(bytes.get(0));
                }
            });
            assertThat(read).containsExactly((byte) 7);
            assertThat(deepest.list("base/1").orElse(List.of()))
                    .extracting(DirectoryEntry::name)
                    .containsExactly("1");
            assertThat(deepest.directories()).containsExactly("base", "base/1");
            assertThat(deepest.at(point).lsn()).isEqualTo(point);
            assertThat(deepest.at(Instant.now()).lsn()).isEqualTo(point);
            // The root has no WAL, which is not known before it is asked.
            assertThatThrownBy(() -> deepest.at(root.createdAt().minusSeconds(1)))
                    .isInstanceOf(StorageException.class);
            assertThatThrownBy(() -> deepest.stat("base/1/1", Lsn.parse("0/50")))
                    .isInstanceOf(OutsideHistoryException.class);
            assertThat(deepest.versions("base/1/1", 0, Optional.empty())).hasSize(1);
            deepest.wal().store().segmentSize();
        });

        TimelineId parent = last;
        assertThatThrownBy(() -> service.createBranch(new TimelineId("too-deep"), new BranchPoint(parent, point)))
                .isInstanceOf(ChainTooLongException.class)
                .hasMessageContaining(Integer.toString(Timeline.MAX_DEPTH));
        assertThat(service.exists(new TimelineId("too-deep"))).isFalse();
    }

    private interface Reads {
        void run() throws Exception;
    }

    private static void onASmallStack(Reads reads) throws Exception {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread thread = new Thread(
                null,
                () -> {
                    try {
                        reads.run();
                    } catch (Throwable e) {
                        failure.set(e);
                    }
                },
                "small stack",
                SMALL_STACK);
        thread.start();
        thread.join();
        if (failure.get() != null) {
            throw new AssertionError("on a stack of " + SMALL_STACK + " bytes", failure.get());
        }
    }
}
