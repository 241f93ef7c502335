package dev.coppice.storage.boundary;

import dev.coppice.storage.PageService;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.file.FileStatus;
import dev.coppice.storage.file.PageConsumer;
import dev.coppice.storage.file.PageView;
import dev.coppice.storage.file.TimelineFiles;
import dev.coppice.storage.layout.BranchPoint;
import java.util.Optional;

/**
 * What a timeline may see of its parent: every read that goes on in the parent passes it, by whomever it was asked, children of the
 * timeline included. Thread-safe.
 *
 * <p>A timeline with a boundary begins at a clean shutdown of its parent; nothing below that point can be read from it, nor any WAL
 * but the record of the checkpoint. The boundary is loaded from the document that was stored when the timeline was made; without
 * it the timeline's own files can be read and nothing else.
 */
public interface Boundary {
    /**
     * How the parent's file or directory at a path appears; empty when it is not there for the timeline. Cheap: it is asked for
     * every read.
     */
    Optional<PageView> view(String path);

    /** Makes boundaries of their documents. Called from any thread, once for each timeline unless it fails. */
    @FunctionalInterface
    interface Loader {
        /**
         * @param document as it was given to {@link PageService#createBranch(dev.coppice.common.TimelineId, BranchPoint, byte[])}
         * @param parent the timeline below, as of the point at which the masked one begins
         * @throws StorageException when it cannot be understood
         */
        Boundary load(byte[] document, ParentFiles parent);
    }

    /** The parent's files at the point, with nothing hidden: for boundaries that must look at more than one page. */
    interface ParentFiles {
        /** What is at a path. */
        FileStatus stat(String path);

        /** Reads blocks as {@link TimelineFiles#readPages} does; false, and nothing delivered, when there is no such file. */
        boolean readPages(String path, long firstBlock, int count, PageConsumer consumer);
    }
}
