package dev.coppice.storage.file;

import dev.coppice.storage.fault.StorageException;
import java.nio.ByteBuffer;

/** How the pages of one file appear to somebody who may not see all of them. Thread-safe. */
@FunctionalInterface
public interface PageView {
    /** As they are. */
    PageView SAME = (block, page) -> page;

    /**
     * A page as it may be seen.
     *
     * @param block in the file
     * @param page 8,192 bytes remaining; not to be changed, and valid during the call only
     * @return 8,192 bytes remaining, the same object or another
     * @throws StorageException when it cannot be shown
     */
    ByteBuffer show(long block, ByteBuffer page);

    /** This view first, then another. */
    default PageView then(PageView other) {
        return (block, page) -> other.show(block, show(block, page));
    }
}
