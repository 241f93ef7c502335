package dev.coppice.control.masking;

import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.file.PageView;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How the files of one relation appear. */
@FunctionalInterface
interface RelationView {
    /** Blocks in one file of a relation (RELSEG_SIZE of every stock build). */
    long BLOCKS_PER_FILE = 131_072;

    /** All of it, as it is. */
    RelationView SHOWN = (fork, segment) -> Optional.of(PageView.SAME);

    /** Not there. */
    RelationView HIDDEN = (fork, segment) -> Optional.empty();

    /** There, and known to be empty: a page of it is an error. */
    RelationView EMPTY = main(segment -> (block, page) -> {
        throw new StorageException("a relation that was emptied has a page " + block + ": it is not shown");
    });

    /**
     * How one file appears; empty when it is not there.
     *
     * @param fork {@code _fsm}, {@code _vm} or {@code _init}; null for the main fork
     * @param segment of the fork, from 0
     */
    Optional<PageView> of(@Nullable String fork, long segment);

    /** The main fork by a view for each segment; the others hold free space and visibility only, and are shown. */
    static RelationView main(java.util.function.LongFunction<PageView> views) {
        return (fork, segment) -> Optional.of(fork == null ? views.apply(segment) : PageView.SAME);
    }

    /** The main fork by a function of a page and its number in the fork. */
    static RelationView pages(PageFunction function) {
        return main(segment -> (block, page) -> {
            byte[] bytes = new byte[page.remaining()];
            page.get(page.position(), bytes);
            return ByteBuffer.wrap(function.apply(bytes, segment * BLOCKS_PER_FILE + block));
        });
    }

    /** Turns the bytes of a page into those that are shown. */
    @FunctionalInterface
    interface PageFunction {
        byte[] apply(byte[] page, long block);
    }
}
