package dev.coppice.storage.layer;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.index.FileHistory;
import dev.coppice.storage.index.OwnFile;
import dev.coppice.storage.layer.format.LayerFormat;
import dev.coppice.storage.layer.format.PathOrder;
import dev.coppice.storage.layer.format.ReadBuffers;
import dev.coppice.storage.layer.store.LayerDescriptor;
import dev.coppice.storage.layer.store.LayerStore;
import dev.coppice.storage.layer.store.NoSuchLayerException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * One layer. Immutable and thread-safe; reads nothing before the first question, and keeps what it read in the caches
 * only. Every question takes an LSN, compared unsigned; {@link dev.coppice.storage.index.TimelineIndex#HEAD} sees
 * everything.
 *
 * <p>All methods may throw {@link dev.coppice.storage.fault.ChecksumMismatchException} naming the layer and the byte, and {@link
 * NoSuchLayerException}.
 */
public final class LayerReader {
    /** Bytes between two pages that are read along rather than read around. */
    private static final int MAX_GAP = 32 << 10;

    /** Pages asked for at once beyond which they are a scan: it would only displace what is read again. */
    private static final int MOST_CACHED_AT_ONCE = 32;

    /** The place of the directory in the cache of index parts. */
    private static final long DIRECTORY = -1;

    private final LayerDescriptor descriptor;
    private final LayerCaches caches;
    private final LayerBytesReader bytes;
    private final long id;

    /** Reads nothing yet. */
    public LayerReader(LayerStore store, TimelineId timeline, LayerDescriptor descriptor, LayerCaches caches) {
        this.descriptor = descriptor;
        this.caches = caches;
        bytes = new LayerBytesReader(store, timeline, descriptor);
        id = caches.newReader();
    }

    /** Receives pages by their place in the request. */
    @FunctionalInterface
    public interface PageSink {
        /** The page of place {@code i}: 8,192 bytes remaining, not to be changed; valid during the call only. */
        void page(int i, ByteBuffer page);
    }

    /** What the manifest says of it. */
    public LayerDescriptor descriptor() {
        return descriptor;
    }

    /** What this layer's events say of a file. Compose with older layers by {@link OwnFile#over}. */
    public OwnFile file(String path, long lsn) {
        FileHistory history = history(path, false);
        return history == null ? OwnFile.NOTHING : history.at(new At(lsn));
    }

    /** Whether this layer's events say that a directory is there; empty when they say nothing. */
    public Optional<Boolean> directory(String path, long lsn) {
        FileHistory history = history(path, true);
        OwnFile.State state = history == null
                ? OwnFile.State.NOTHING
                : history.at(new At(lsn)).state();
        return state == OwnFile.State.NOTHING ? Optional.empty() : Optional.of(state == OwnFile.State.EXISTS);
    }

    /** Where this layer has a block; null when it says nothing of it. Reads no page. */
    public @Nullable LayerBlock block(String path, long block, long lsn) {
        @Nullable LayerBlock[] one = new LayerBlock[1];
        locate(path, block, lsn, one);
        return one[0];
    }

    /**
     * As {@link #block} for the blocks from {@code firstBlock} on whose place in {@code into} is null; fills the places
     * that it has an answer for.
     *
     * @return how many places are null still
     */
    public int locate(String path, long firstBlock, long lsn, @Nullable LayerBlock[] into) {
        int open = 0;
        if (descriptor.mayContain(path)) {
            byte[] key = PathOrder.bytes(path);
            PartDirectory directory = directory();
            At visible = new At(lsn);
            IndexPart start = startOf(directory, key);
            FileHistory history = start == null ? null : start.file(start.find(key));
            int part = start == null ? -1 : directory.lastAtOrBefore(key, firstBlock + 1);
            for (int i = 0; i < into.length; i++) {
                if (into[i] != null) {
                    continue;
                }
                long block = firstBlock + i;
                while (part >= 0 && directory.beginsAtOrBefore(part + 1, key, block + 1)) {
                    part++;
                }
                LayerBlock version = part < 0 ? null : version(directory, part, key, block, visible);
                into[i] = history == null ? version : afterCut(history, block, visible, version);
                open += into[i] == null ? 1 : 0;
            }
        } else {
            for (LayerBlock block : into) {
                open += block == null ? 1 : 0;
            }
        }
        return open;
    }

    /**
     * A page, its checksum verified.
     *
     * @param block of this layer, not zero
     * @return 8,192 bytes, not to be changed
     */
    public ByteBuffer readPage(LayerBlock block) {
        byte[] page = caches.page(id, block.frame());
        if (page == null) {
            page = new byte[LayerFormat.BLOCK_SIZE];
            try (ReadBuffers buffers = ReadBuffers.take(block.frameLength())) {
                ByteBuffer frame = buffers.span(block.frameLength());
                bytes.read(block.frame(), frame);
                bytes.decode(block, frame, 0, page);
            }
            if (caches.wantsPage(id, block.frame())) {
                caches.keepPage(id, block.frame(), page);
            }
        }
        return ByteBuffer.wrap(page).asReadOnlyBuffer();
    }

    /**
     * Reads the pages {@code from <= i < to} that are of this layer and not zero, close ones together, and delivers them in
     * ascending order of {@code i}.
     */
    public void readPages(@Nullable LayerBlock[] blocks, int from, int to, PageSink sink) {
        boolean scan = to - from > MOST_CACHED_AT_ONCE;
        int i = from;
        while (i < to) {
            LayerBlock block = blocks[i];
            if (block == null || block.layer() != this || block.zero()) {
                i++;
                continue;
            }
            byte[] page = scan ? null : caches.page(id, block.frame());
            if (page != null) {
                sink.page(i, ByteBuffer.wrap(page).asReadOnlyBuffer());
                i++;
                continue;
            }
            int end = endOfSpan(blocks, i, to);
            readSpan(blocks, i, end, scan, sink);
            i = end;
        }
    }

    private void readSpan(@Nullable LayerBlock[] blocks, int from, int end, boolean scan, PageSink sink) {
        long start = Objects.requireNonNull(blocks[from]).frame();
        LayerBlock last = Objects.requireNonNull(blocks[end - 1]);
        int length = (int) (last.frame() + last.frameLength() - start);
        try (ReadBuffers buffers = ReadBuffers.take(length)) {
            ByteBuffer span = buffers.span(length);
            bytes.read(start, span);
            for (int i = from; i < end; i++) {
                LayerBlock block = blocks[i];
                if (block == null || block.layer() != this || block.zero()) {
                    continue;
                }
                int at = (int) (block.frame() - start);
                if (!scan && caches.wantsPage(id, block.frame())) {
                    byte[] page = new byte[LayerFormat.BLOCK_SIZE];
                    bytes.decode(block, span, at, page);
                    caches.keepPage(id, block.frame(), page);
                    sink.page(i, ByteBuffer.wrap(page).asReadOnlyBuffer());
                } else {
                    sink.page(i, bytes.view(block, span, at, buffers.page()));
                }
            }
        }
    }

    /** Pages that lie close behind each other are read together, over places that are not this layer's. */
    private int endOfSpan(@Nullable LayerBlock[] blocks, int first, int to) {
        LayerBlock begin = Objects.requireNonNull(blocks[first]);
        long end = begin.frame() + begin.frameLength();
        int after = first + 1;
        for (int i = after; i < to; i++) {
            LayerBlock next = blocks[i];
            if (next == null || next.layer() != this || next.zero()) {
                continue;
            }
            if (next.frame() < end
                    || next.frame() > end + MAX_GAP
                    || next.frame() + next.frameLength() > begin.frame() + ReadBuffers.SPAN_BYTES) {
                break;
            }
            end = next.frame() + next.frameLength();
            after = i + 1;
        }
        return after;
    }

    /** Every name in a directory that this layer has events of, here or not as of an LSN; ascending. */
    public Set<String> namesEverIn(String directory) {
        PartDirectory parts = directory();
        return Collections.unmodifiableSet(new PathWalk(parts, part -> part(parts, part)).namesIn(directory));
    }

    /** Every directory that this layer has events of; ascending. */
    public Set<String> directoriesEver() {
        return Collections.unmodifiableSet(new TreeSet<>(directory().directories()));
    }

    /** All events of a path, ascending by sequence, without growths that changed nothing. */
    public List<FileEvent> events(String path) {
        List<FileEvent> events = new ArrayList<>();
        if (descriptor.mayContain(path)) {
            byte[] key = PathOrder.bytes(path);
            IndexPart start = startOf(directory(), key);
            if (start != null) {
                collectEvents(start, start.find(key), events);
            }
        }
        return events;
    }

    static void collectEvents(IndexPart part, int file, List<FileEvent> into) {
        FileHistory ofFile = part.file(file);
        FileHistory ofDirectory = part.directory(file);
        if (ofFile != null) {
            ofFile.forEach(
                    false, (kind, sequence, stamp, size) -> into.add(new FileEvent(kind, stamp, sequence, size)));
        }
        if (ofDirectory != null) {
            ofDirectory.forEach(
                    true, (kind, sequence, stamp, size) -> into.add(new FileEvent(kind, stamp, sequence, size)));
        }
        if (ofFile != null && ofDirectory != null) {
            into.sort(Comparator.comparing(FileEvent::sequence, Long::compareUnsigned));
        }
    }

    /** All versions of a block, ascending by sequence; without the cuts. */
    public List<LayerBlock> versions(String path, long block) {
        List<LayerBlock> versions = new ArrayList<>();
        if (!descriptor.mayContain(path)) {
            return versions;
        }
        byte[] key = PathOrder.bytes(path);
        PartDirectory directory = directory();
        for (int part = directory.lastAtOrBefore(key, block + 1); part >= 0; part--) {
            IndexPart index = part(directory, part);
            int file = index.find(key);
            if (file < 0) {
                break;
            }
            int i = index.firstBeyond(file, block) - 1;
            for (; i >= index.firstVersion(file) && index.block(i) == block; i--) {
                versions.add(index.version(this, i));
            }
            if (i >= index.firstVersion(file) || file > 0 || !index.isFirstContinued()) {
                break;
            }
        }
        return versions.reversed();
    }

    /** Everything in order. */
    public LayerCursor cursor() {
        return new LayerCursor(this, bytes);
    }

    /**
     * Reads and checks every byte and every order.
     *
     * @return what is wrong, empty when nothing is; each names the layer and the byte
     */
    public List<String> verify() {
        return LayerVerification.problemsOf(this, bytes);
    }

    private @Nullable LayerBlock afterCut(FileHistory history, long block, At visible, @Nullable LayerBlock version) {
        long cut = history.newestCutOf(block, LayerFormat.BLOCK_SIZE, visible);
        if (cut == FileHistory.NO_CUT || (version != null && Long.compareUnsigned(cut, version.sequence()) <= 0)) {
            return version;
        }
        long stamp = history.stampOfNewestCutOf(block, LayerFormat.BLOCK_SIZE, visible);
        return new LayerBlock(this, true, stamp, cut, 0, 0);
    }

    /** The newest visible version of a block, from the last part that can have one backwards. */
    private @Nullable LayerBlock version(PartDirectory directory, int last, byte[] key, long block, At visible) {
        for (int part = last; part >= 0; part--) {
            IndexPart index = part(directory, part);
            int file = index.find(key);
            if (file < 0) {
                return null;
            }
            int first = index.firstVersion(file);
            int i = index.firstBeyond(file, block) - 1;
            for (; i >= first && index.block(i) == block; i--) {
                if (visible.isHead() || visible.sees(index.sequence(i), index.stamp(i))) {
                    return index.version(this, i);
                }
            }
            if (i >= first || file > 0 || !index.isFirstContinued()) {
                return null;
            }
        }
        return null;
    }

    private @Nullable FileHistory history(String path, boolean ofDirectory) {
        if (!descriptor.mayContain(path)) {
            return null;
        }
        byte[] key = PathOrder.bytes(path);
        IndexPart start = startOf(directory(), key);
        if (start == null) {
            return null;
        }
        int file = start.find(key);
        return ofDirectory ? start.directory(file) : start.file(file);
    }

    /** The part with a path's events; null when the layer has nothing of it. */
    private @Nullable IndexPart startOf(PartDirectory directory, byte[] key) {
        int part = directory.lastAtOrBefore(key, PartDirectory.START);
        if (part < 0) {
            return null;
        }
        IndexPart index = part(directory, part);
        return index.find(key) < 0 ? null : index;
    }

    PartDirectory directory() {
        if (caches.part(id, DIRECTORY) instanceof PartDirectory known) {
            return known;
        }
        PartDirectory read = bytes.directory();
        caches.keepPart(id, DIRECTORY, read);
        return read;
    }

    private IndexPart part(PartDirectory directory, int part) {
        if (caches.part(id, part) instanceof IndexPart known) {
            return known;
        }
        IndexPart read = bytes.part(directory, part);
        caches.keepPart(id, part, read);
        return read;
    }

    @Override
    public String toString() {
        return bytes.toString();
    }
}
