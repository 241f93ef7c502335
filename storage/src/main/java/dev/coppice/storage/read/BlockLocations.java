package dev.coppice.storage.read;

import dev.coppice.storage.file.PageConsumer;
import dev.coppice.storage.file.PageView;
import dev.coppice.storage.history.LayerSet;
import dev.coppice.storage.index.BlockVersion;
import dev.coppice.storage.io.SpanBuffers;
import dev.coppice.storage.journal.JournalSegment;
import dev.coppice.storage.layer.LayerBlock;
import dev.coppice.storage.layer.LayerReader;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Where neighbouring blocks of one file are, along the chain of timelines; and how to read them. Filled from the newest
 * source to the oldest: whoever is asked first has the last word on a block. For one thread.
 */
final class BlockLocations {
    private static final int BLOCK = JournalSegment.BLOCK_SIZE;

    /** The most bytes read from a journal at once. */
    private static final int MAX_SPAN = 2 << 20;

    /** Bytes of other entries between two pages that are read along rather than read around. */
    private static final int MAX_GAP = 64 << 10;

    private static final SpanBuffers SPANS = new SpanBuffers(MAX_SPAN);

    private final String path;
    private final long firstBlock;
    private final @Nullable BlockVersion[] inJournal;
    private final @Nullable LayerBlock[] inLayers;
    private int open;

    /** How blocks found beyond a boundary are seen; null when none were. */
    private @Nullable PageView @Nullable [] views;

    BlockLocations(String path, long firstBlock, int count) {
        this.path = path;
        this.firstBlock = firstBlock;
        this.inJournal = new BlockVersion[count];
        this.inLayers = new LayerBlock[count];
        this.open = count;
    }

    int count() {
        return inJournal.length;
    }

    /** Whether a block is still to be looked for in older sources. */
    boolean isOpen() {
        return open > 0;
    }

    boolean isOpen(int i) {
        return inJournal[i] == null && inLayers[i] == null;
    }

    long block(int i) {
        return firstBlock + i;
    }

    void set(int i, BlockVersion version) {
        if (version.source() != BlockVersion.Source.NONE) {
            inJournal[i] = version;
            open--;
        }
    }

    /** For each block, whether it is still to be looked for. */
    boolean[] openBlocks() {
        boolean[] blocks = new boolean[count()];
        for (int i = 0; i < blocks.length; i++) {
            blocks[i] = isOpen(i);
        }
        return blocks;
    }

    /** The blocks that were found since {@link #openBlocks} are seen by a view, after those that were set before. */
    void showBy(PageView view, boolean[] openBefore) {
        @Nullable PageView[] all = views == null ? new PageView[count()] : views;
        for (int i = 0; i < openBefore.length; i++) {
            if (openBefore[i] && !isOpen(i)) {
                PageView inner = all[i];
                all[i] = inner == null ? view : inner.then(view);
            }
        }
        views = all;
    }

    /** Asks the layers, one stretch of open blocks after the other. */
    void locate(LayerSet layers, long lsn) {
        int from = 0;
        while (open > 0 && from < count()) {
            if (!isOpen(from)) {
                from++;
                continue;
            }
            int to = from + 1;
            while (to < count() && isOpen(to)) {
                to++;
            }
            locate(layers, lsn, from, to);
            from = to;
        }
    }

    private void locate(LayerSet layers, long lsn, int from, int to) {
        @Nullable LayerBlock[] found = new LayerBlock[to - from];
        for (LayerReader layer : layers.newestFirst()) {
            if (layer.descriptor().mayContain(path) && layer.locate(path, firstBlock + from, lsn, found) == 0) {
                break;
            }
        }
        for (int i = 0; i < found.length; i++) {
            if (found[i] != null) {
                inLayers[from + i] = found[i];
                open--;
            }
        }
    }

    /**
     * Reads the blocks and delivers them in ascending order; checksums are verified every time.
     */
    void deliver(PageConsumer receiver) {
        PageConsumer consumer = views == null ? receiver : new Seen(receiver, views, firstBlock);
        int entrySize = JournalSegment.maxPageEntrySize(path);
        WholeFile whole = null;
        int i = 0;
        while (i < count()) {
            BlockVersion version = inJournal[i];
            LayerBlock layered = inLayers[i];
            if (version != null && version.source() == BlockVersion.Source.WHOLE) {
                if (whole == null || !whole.holds(version)) {
                    whole = WholeFile.read(version, path);
                }
                consumer.page(block(i), version.stamp(), whole.block(block(i)));
                i++;
            } else if (version != null && version.source() == BlockVersion.Source.PAGE) {
                int end = endOfSpan(i, version, entrySize);
                deliverSpan(i, end, version, entrySize, consumer);
                i = end;
            } else if (layered != null && !layered.zero()) {
                int end = endOfLayer(i, layered);
                layered.layer()
                        .readPages(inLayers, i, end, (at, page) -> consumer.page(block(at), stampInLayer(at), page));
                i = end;
            } else {
                consumer.zero(block(i));
                i++;
            }
        }
    }

    private long stampInLayer(int i) {
        LayerBlock block = inLayers[i];
        return block == null ? 0 : block.stamp();
    }

    private int endOfLayer(int first, LayerBlock block) {
        int end = first + 1;
        while (end < count()) {
            LayerBlock next = inLayers[end];
            if (next == null || next.zero() || next.layer() != block.layer()) {
                break;
            }
            end++;
        }
        return end;
    }

    /** Pages that lie close behind each other in one segment are read together; they often do after a bulk load. */
    private int endOfSpan(int first, BlockVersion version, int entrySize) {
        long start = version.position();
        long last = start;
        int end = first + 1;
        while (end < count()) {
            BlockVersion next = inJournal[end];
            if (next == null
                    || next.source() != BlockVersion.Source.PAGE
                    || next.segment() != version.segment()
                    || next.position() <= last
                    || next.position() > last + entrySize + MAX_GAP
                    || next.position() + entrySize > start + MAX_SPAN) {
                break;
            }
            last = next.position();
            end++;
        }
        return end;
    }

    private void deliverSpan(int first, int end, BlockVersion version, int entrySize, PageConsumer consumer) {
        JournalSegment segment = segment(version);
        long start = version.position();
        BlockVersion last = inJournal[end - 1];
        long span = (last == null ? start : last.position()) - start;
        ByteBuffer bytes = SPANS.borrow();
        try {
            segment.readSpan(start, (int) span + entrySize, bytes);
            for (int i = first; i < end; i++) {
                BlockVersion next = inJournal[i];
                if (next != null) {
                    ByteBuffer page =
                            segment.verifiedData(bytes, (int) (next.position() - start), next.position(), path);
                    consumer.page(block(i), next.stamp(), padded(page));
                }
            }
        } finally {
            SPANS.release(bytes);
        }
    }

    private static JournalSegment segment(BlockVersion version) {
        JournalSegment segment = version.segment();
        if (segment == null) {
            throw new IllegalStateException("a block without data has no segment");
        }
        return segment;
    }

    private static ByteBuffer padded(ByteBuffer page) {
        return page.remaining() == BLOCK
                ? page
                : ByteBuffer.allocate(BLOCK).put(page).clear();
    }

    /** Passes pages on as they may be seen. */
    private static final class Seen implements PageConsumer {
        private final PageConsumer receiver;
        private final @Nullable PageView[] views;
        private final long first;

        Seen(PageConsumer receiver, @Nullable PageView[] views, long first) {
            this.receiver = receiver;
            this.views = views;
            this.first = first;
        }

        @Override
        public void zero(long block) {
            receiver.zero(block);
        }

        @Override
        public void page(long block, long stamp, ByteBuffer page) {
            PageView view = views[(int) (block - first)];
            receiver.page(block, stamp, view == null ? page : view.show(block, page));
        }
    }

    /** The data of one PUT, read once for all its blocks. */
    private record WholeFile(BlockVersion version, ByteBuffer content) {
        static WholeFile read(BlockVersion version, String path) {
            return new WholeFile(version, segment(version).readData(version.position(), path));
        }

        boolean holds(BlockVersion other) {
            return other.segment() == version.segment() && other.position() == version.position();
        }

        ByteBuffer block(long block) {
            int from = (int) (block * BLOCK);
            return padded(content.slice(from, Math.min(BLOCK, content.limit() - from)));
        }
    }
}
