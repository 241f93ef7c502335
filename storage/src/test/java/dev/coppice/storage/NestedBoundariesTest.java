package dev.coppice.storage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.common.config.StorageConfiguration;
import dev.coppice.storage.boundary.BoundaryDocuments;
import dev.coppice.storage.file.FileKind;
import dev.coppice.storage.file.FileStatus;
import dev.coppice.storage.file.PageView;
import dev.coppice.storage.file.TimelineFiles;
import dev.coppice.storage.history.StorageResources;
import dev.coppice.storage.history.TimelineHistory;
import dev.coppice.storage.io.FileWrites;
import dev.coppice.storage.layout.BranchPoint;
import dev.coppice.storage.layout.TimelineLayout;
import dev.coppice.storage.layout.TimelineMetadata;
import dev.coppice.storage.read.FileReader;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Anonymized branches of anonymized branches: each boundary is made of what is seen through the one above it. */
class NestedBoundariesTest {
    private static final int NESTED = 500;

    /** Of the threads that answer computes, in bytes. */
    private static final long SMALL_STACK = 256 << 10;

    private final TestDirectory directory = new TestDirectory();
    private final PageService service = PageService.open(directory.path().resolve("timelines"));

    @AfterEach
    void clean_up() {
        service.close();
        directory.close();
    }

    @Test
    void the_first_read_through_many_boundaries_needs_no_more_stack_than_through_one() throws Exception {
        Timeline root = service.createRoot(new TimelineId("t-0"));
        root.beginEpoch(RealPostgres.owner());
        Journaling.to(root).put("PG_VERSION", new byte[] {1, 8});
        root.endEpoch();
        Path place = directory.path().resolve("timelines");
        StorageResources resources = StorageResources.of(place, StorageConfiguration.DEFAULTS, FileWrites.DIRECT);
        BoundaryDocuments documents = resources.boundaries();
        List<Integer> loaded = new ArrayList<>();
        documents.use((document, parent) -> {
            loaded.add(document.length);
            assertThat(parent.stat("PG_VERSION").kind()).isEqualTo(FileKind.FILE);
            return path -> path.equals("hidden") ? Optional.empty() : Optional.of(PageView.SAME);
        });
        FileReader reader = new FileReader(history(root.id(), place, resources), null, 0);
        TimelineId above = root.id();
        for (int depth = 1; depth <= NESTED; depth++) {
            TimelineId id = new TimelineId("t-" + depth);
            BranchPoint point = new BranchPoint(above, new Lsn(100));
            String hash = documents.store(id, point, new byte[depth]);
            TimelineMetadata metadata = TimelineMetadata.of(id, point, Instant.now(), hash);
            reader = new FileReader(history(id, place, resources), reader, 100, documents.gate(metadata));
            above = id;
        }
        FileReader deepest = reader;
        AtomicReference<FileStatus> seen = new AtomicReference<>();
        Thread thread =
                new Thread(null, () -> seen.set(deepest.stat("PG_VERSION", TimelineFiles.HEAD)), "small", SMALL_STACK);
        thread.start();
        thread.join();
        resources.files().close();
        assertThat(seen.get()).isEqualTo(FileStatus.file(2));
        assertThat(loaded).hasSize(NESTED).isSorted();
    }

    private static TimelineHistory history(TimelineId id, Path place, StorageResources resources) {
        return new TimelineHistory(id, new TimelineLayout(place.resolve(id.value())).journal(), resources);
    }
}
