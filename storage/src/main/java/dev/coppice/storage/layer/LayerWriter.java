package dev.coppice.storage.layer;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.index.FileEventKind;
import dev.coppice.storage.io.FileWrites;
import dev.coppice.storage.layer.format.FrameCodec;
import dev.coppice.storage.layer.format.LayerFormat;
import dev.coppice.storage.layer.format.PathOrder;
import dev.coppice.storage.layer.store.LayerDescriptor;
import dev.coppice.storage.layer.store.LayerKind;
import dev.coppice.storage.layer.store.LayerStore;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Writes one run of layers, streaming: paths ascending in {@link PathOrder}, then a path's events ascending by sequence,
 * then its block versions ascending by block and sequence. Begins another file between two paths when the present one is
 * large. Nothing is visible before {@link #finish}. For one thread.
 *
 * <p>Memory: one index part, the events of one path, and a few bytes for each part written, whatever the layer's size.
 * Errors are {@link StorageException}s, after which only {@link #close} makes sense; calls out of
 * order are {@link IllegalArgumentException}s.
 */
public final class LayerWriter implements AutoCloseable {
    /** Bytes after which the next path goes to another file. */
    private static final long ROLL_OVER_BYTES = 256L << 20;

    private final LayerStore store;
    private final TimelineId timeline;
    private final LayerKind kind;
    private final long firstSequence;
    private final long lastSequence;
    private final FileWrites writes;
    private final long rollOverBytes;
    private final FrameCodec codec;

    private final List<LayerFileWriter> files = new ArrayList<>();
    private final List<LayerDescriptor> descriptors = new ArrayList<>();
    private final byte[] page = new byte[LayerFormat.BLOCK_SIZE];
    private final byte[] frame = new byte[LayerFormat.FRAME_HEAD + FrameCodec.MAX_COMPRESSED];

    private @Nullable LayerFileWriter file;

    /** The last path begun, null before the first. */
    private byte @Nullable [] path;

    /** Whether something of {@link #path} was written. */
    private boolean started;

    private boolean versions;
    private long block;
    private long sequence;
    private boolean finished;

    /**
     * Writes nothing yet.
     *
     * @param firstSequence no entry has a lower sequence; with {@code lastSequence} it identifies the run
     * @param lastSequence no entry has a higher one
     */
    public LayerWriter(
            LayerStore store,
            TimelineId timeline,
            LayerKind kind,
            long firstSequence,
            long lastSequence,
            FileWrites writes) {
        this(store, timeline, kind, firstSequence, lastSequence, writes, FrameCodec.LZ4, ROLL_OVER_BYTES);
    }

    LayerWriter(
            LayerStore store,
            TimelineId timeline,
            LayerKind kind,
            long firstSequence,
            long lastSequence,
            FileWrites writes,
            FrameCodec codec,
            long rollOverBytes) {
        this.store = store;
        this.timeline = timeline;
        this.kind = kind;
        this.firstSequence = firstSequence;
        this.lastSequence = lastSequence;
        this.writes = writes;
        this.codec = codec;
        this.rollOverBytes = rollOverBytes;
    }

    /** Begins the next path. One without events and versions is left out. */
    public void beginFile(String newPath) {
        byte[] bytes = PathOrder.bytes(newPath);
        require(path == null || PathOrder.compare(path, bytes) < 0, "path \"" + newPath + "\"");
        endFile();
        path = bytes;
        started = false;
        versions = false;
    }

    /** Adds an event; before the path's block versions. */
    public void event(FileEventKind eventKind, long stamp, long eventSequence, long size) {
        LayerFileWriter target = target();
        require(!versions && size >= 0, "event");
        checkSequence(eventSequence, !started);
        target.event(eventKind, stamp, eventSequence, size);
        started = true;
    }

    /** Adds a block version; {@code page} has 1 to 8,192 bytes remaining, which are consumed; zeroes follow them. */
    public void page(long pageBlock, long stamp, long pageSequence, ByteBuffer content) {
        int length = content.remaining();
        require(length > 0 && length <= page.length, "a page of " + length + " bytes");
        LayerFileWriter target = beginVersion(pageBlock, pageSequence);
        content.get(page, 0, length);
        Arrays.fill(page, length, page.length, (byte) 0);
        FrameCodec used = codec;
        int compressed = codec.compress(page, frame, LayerFormat.FRAME_HEAD);
        if (compressed == FrameCodec.NO_GAIN || compressed > LayerFormat.WORTH_COMPRESSING) {
            used = FrameCodec.STORED;
            compressed = page.length;
            System.arraycopy(page, 0, frame, LayerFormat.FRAME_HEAD, page.length);
        }
        frame[LayerFormat.CHECKSUM_SIZE] = (byte) used.code();
        target.page(pageBlock, stamp, pageSequence, frame, LayerFormat.FRAME_HEAD + compressed);
    }

    /** Adds a block version as it stands in another layer, compressed; {@code source} is changed in its first bytes. */
    void frame(long pageBlock, long stamp, long pageSequence, byte[] source, int length) {
        beginVersion(pageBlock, pageSequence).page(pageBlock, stamp, pageSequence, source, length);
    }

    /** Adds a version that is zero. */
    public void zero(long zeroBlock, long stamp, long zeroSequence) {
        beginVersion(zeroBlock, zeroSequence).zero(zeroBlock, stamp, zeroSequence);
    }

    /**
     * Stores the layers; durable when this returns. When it throws, none of them is there.
     *
     * @return for the manifest, ascending by path; empty when nothing was added
     */
    public List<LayerDescriptor> finish() {
        endFile();
        endLayer();
        int stored = 0;
        try {
            for (; stored < files.size(); stored++) {
                store.put(
                        timeline,
                        descriptors.get(stored).name(),
                        files.get(stored).file());
            }
        } catch (StorageException e) {
            for (int i = 0; i < stored; i++) {
                try {
                    store.delete(timeline, descriptors.get(i).name());
                } catch (StorageException second) {
                    e.addSuppressed(second);
                }
            }
            throw e;
        }
        finished = true;
        return List.copyOf(descriptors);
    }

    /** Takes back what was not finished; afterwards nothing of it is left. */
    @Override
    public void close() {
        if (!finished) {
            finished = true;
            files.forEach(LayerFileWriter::close);
        }
    }

    private LayerFileWriter beginVersion(long newBlock, long newSequence) {
        LayerFileWriter target = target();
        require(newBlock >= 0 && newBlock <= LayerFormat.MAX_BLOCK, "block " + newBlock);
        require(!versions || newBlock >= block, "block " + newBlock);
        checkSequence(newSequence, !versions || newBlock > block);
        block = newBlock;
        versions = true;
        started = true;
        return target;
    }

    private void checkSequence(long next, boolean first) {
        require(first || Long.compareUnsigned(next, sequence) > 0, "sequence " + Long.toHexString(next));
        require(
                Long.compareUnsigned(next, firstSequence) >= 0 && Long.compareUnsigned(next, lastSequence) <= 0,
                "sequence " + Long.toHexString(next));
        sequence = next;
    }

    /** The file that the current path goes to, the path begun in it. */
    private LayerFileWriter target() {
        byte[] current = path;
        require(!finished && current != null, "an entry without a path");
        LayerFileWriter target = file;
        if (target != null && !started && target.position() >= rollOverBytes) {
            endLayer();
            target = null;
        }
        if (target == null) {
            target = new LayerFileWriter(store, timeline, newName(), kind, firstSequence, lastSequence, writes);
            files.add(target);
            file = target;
        }
        if (!started && current != null) {
            target.beginFile(current);
        }
        return target;
    }

    private void endFile() {
        if (started && file != null) {
            file.endFile();
            started = false;
        }
    }

    private void endLayer() {
        if (file != null) {
            descriptors.add(file.finish());
            file = null;
        }
    }

    /** No two layers of a timeline ever have the same name: caches and checksums rely on it. */
    private String newName() {
        return String.format(
                Locale.ROOT,
                "%s-%016x-%016x-%016x",
                kind.name().toLowerCase(Locale.ROOT),
                firstSequence,
                lastSequence,
                ThreadLocalRandom.current().nextLong());
    }

    private static void require(boolean right, String what) {
        if (!right) {
            throw new IllegalArgumentException("a layer cannot take " + what + " here: out of order or range");
        }
    }
}
