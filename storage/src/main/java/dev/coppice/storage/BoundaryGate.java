package dev.coppice.storage;

import dev.coppice.common.TimelineId;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** The boundary of one timeline, loaded when it is first needed; until that succeeds nothing passes. Thread-safe. */
final class BoundaryGate {
    private final BoundaryDocuments documents;
    private final TimelineId id;
    private final BranchPoint point;
    private final ReentrantLock loading = new ReentrantLock();
    private volatile @Nullable Boundary boundary;
    private Boundary.@Nullable ParentFiles parent;

    BoundaryGate(BoundaryDocuments documents, TimelineId id, BranchPoint point) {
        this.documents = documents;
        this.id = id;
        this.point = point;
    }

    /** Says how the parent is read; before the first {@link #view}. */
    void below(FileReader reader) {
        long lsn = point.lsn().value();
        parent = new Boundary.ParentFiles() {
            @Override
            public FileStatus stat(String path) {
                return reader.stat(path, lsn);
            }

            @Override
            public boolean readPages(String path, long firstBlock, int count, PageConsumer consumer) {
                return reader.readPages(path, firstBlock, count, lsn, consumer);
            }
        };
    }

    Optional<PageView> view(String path) {
        Boundary loaded = boundary;
        return (loaded == null ? load() : loaded).view(path);
    }

    private Boundary load() {
        loading.lock();
        try {
            Boundary loaded = boundary;
            Boundary.ParentFiles files = parent;
            if (loaded == null) {
                if (files == null) {
                    throw new IllegalStateException("nothing is below the boundary of timeline " + id);
                }
                loaded = documents.load(id, point, files);
                boundary = loaded;
            }
            return loaded;
        } finally {
            loading.unlock();
        }
    }
}
