package dev.coppice.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.Lsn;
import dev.coppice.common.config.StorageConfiguration;
import dev.coppice.storage.fault.OutsideHistoryException;
import dev.coppice.storage.io.FileWrites;
import dev.coppice.storage.upkeep.GarbageCollection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What a long life leaves behind: nothing but what somebody can still see. */
class CollectionProofTest {
    private static final StorageConfiguration ON_DEMAND =
            new StorageConfiguration(1, 1, 1_000, 1_000, 2, 86_400, 86_400, 86_400);
    private static final int BURSTS = 150;

    private final long seed = Long.getLong("coppice.seed", System.nanoTime());
    private final Random random = new Random(seed);

    @Test
    void a_pinned_point_survives_and_the_rest_of_history_gives_its_space_back() throws Exception {
        try (TestDirectory directory = new TestDirectory();
                ModelWorld world = new ModelWorld(directory.path(), ON_DEMAND, random, FileWrites.DIRECT)) {
            ModelTimeline root = world.timelines.getFirst();
            Timeline real = world.real(root);
            write(world, root, BURSTS / 3);
            ModelTimeline child = world.branchAtHead(root);
            write(world, root, BURSTS);
            world.compareEverything();
            Path files = real.layout().directory();
            real.flush();
            long before = allocated(files);

            world.service.setRetention(root.id, Duration.ZERO);
            // A moment later everything but the end is older than the retention.
            Thread.sleep(5);
            root.burst();
            real.flush();
            world.service.compact(root.id);
            GarbageCollection collection = world.service.collectGarbage(root.id);
            long after = allocated(files);

            assertThat(after).as("allocated bytes, -Dcoppice.seed=%d", seed).isLessThan(before / 2);
            assertThat(collection.bytesAfter()).isLessThan(collection.bytesBefore());
            List<Long> old = root.boundaries.headMap(real.horizon().value()).keySet().stream()
                    .filter(lsn -> lsn != child.ancestorLsn)
                    .toList();
            assertThat(old).hasSizeGreaterThan(BURSTS / 2);
            assertThatThrownBy(() -> real.stat("PG_VERSION", new Lsn(old.getFirst())))
                    .isInstanceOf(OutsideHistoryException.class)
                    .hasMessageContaining(new Lsn(old.getFirst()).toString())
                    .hasMessageContaining(real.horizon().toString());
            world.compareEverything();
            world.reopen();
            world.compareEverything();
            // The branch can still be woken: the WAL that it needs is there too.
            child.start(world.real(child));
            child.burst();
            world.compareEverything();
            assertThat(world.findings()).isEmpty();
        }
    }

    private void write(ModelWorld world, ModelTimeline timeline, int bursts) {
        for (int i = 0; i < bursts; i++) {
            timeline.burst();
            if (i % 20 == 19) {
                timeline.checkpoint();
                world.real(timeline).flush();
            }
        }
    }

    /** st_blocks of everything below a directory, by du. */
    private static long allocated(Path directory) throws IOException, InterruptedException {
        assertThat(Files.readAttributes(directory, BasicFileAttributes.class).isDirectory())
                .isTrue();
        Process du = new ProcessBuilder("du", "-s", "-B1", directory.toString()).start();
        String text = new String(du.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(du.waitFor()).isZero();
        return Long.parseLong(text.split("\\s")[0]);
    }
}
