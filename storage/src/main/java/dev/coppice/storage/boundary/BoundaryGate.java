package dev.coppice.storage.boundary;

import dev.coppice.storage.fault.BoundaryException;
import dev.coppice.storage.file.FileStatus;
import dev.coppice.storage.file.PageConsumer;
import dev.coppice.storage.file.PageView;
import dev.coppice.storage.file.TimelineFiles;
import dev.coppice.storage.layout.BranchPoint;
import dev.coppice.storage.layout.TimelineMetadata;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** The boundary of one timeline, loaded when it is first needed; until that succeeds nothing passes. Thread-safe. */
public final class BoundaryGate {
    private final BoundaryDocuments documents;
    private final TimelineMetadata metadata;
    private final ReentrantLock loading = new ReentrantLock();
    private volatile @Nullable Boundary boundary;
    private Boundary.@Nullable ParentFiles parent;
    private @Nullable BoundaryGate above;

    BoundaryGate(BoundaryDocuments documents, TimelineMetadata metadata) {
        this.documents = documents;
        this.metadata = metadata;
    }

    /**
     * Looks whether the document is the one that the timeline was made with, unless the boundary was loaded already.
     *
     * @throws BoundaryException when it is not
     */
    public void check() {
        if (boundary == null) {
            documents.read(metadata);
        }
    }

    /**
     * Says how the parent is read; before the first {@link #view}.
     *
     * @param nextAbove the boundary that the parent itself is read through, or the next one up the chain
     */
    public void below(TimelineFiles files, @Nullable BoundaryGate nextAbove) {
        above = nextAbove;
        BranchPoint point = metadata.ancestor();
        long lsn = point == null ? 0 : point.lsn().value();
        parent = new Boundary.ParentFiles() {
            @Override
            public FileStatus stat(String path) {
                return files.stat(path, lsn);
            }

            @Override
            public boolean readPages(String path, long firstBlock, int count, PageConsumer consumer) {
                return files.readPages(path, firstBlock, count, lsn, consumer);
            }
        };
    }

    public Optional<PageView> view(String path) {
        Boundary loaded = boundary;
        return (loaded == null ? loadChain() : loaded).view(path);
    }

    /** To load one may read through those above it: they come first, one after the other, however many there are. */
    private Boundary loadChain() {
        Deque<BoundaryGate> missing = new ArrayDeque<>();
        for (BoundaryGate at = above; at != null; at = at.above) {
            if (at.boundary == null) {
                missing.push(at);
            }
        }
        missing.forEach(BoundaryGate::load);
        return load();
    }

    private Boundary load() {
        loading.lock();
        try {
            Boundary loaded = boundary;
            Boundary.ParentFiles files = parent;
            if (loaded == null) {
                if (files == null) {
                    throw new IllegalStateException("nothing is below the boundary of timeline " + metadata.id());
                }
                loaded = documents.load(metadata, files);
                boundary = loaded;
            }
            return loaded;
        } finally {
            loading.unlock();
        }
    }
}
