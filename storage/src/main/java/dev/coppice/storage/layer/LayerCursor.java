package dev.coppice.storage.layer;

import dev.coppice.storage.layer.format.LayerFormat;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Walks a layer in order: {@code while (nextFile()) { path(); events(); while (nextVersion()) ... }}. For one thread; holds
 * one index part and a bounded read buffer, and does not fill the cache of pages.
 */
public final class LayerCursor {
    private static final int WINDOW_BYTES = 256 << 10;

    private final LayerReader layer;
    private final LayerBytesReader bytes;
    private final byte[] window = new byte[WINDOW_BYTES];
    private final ByteBuffer windowBuffer = ByteBuffer.wrap(window).order(ByteOrder.LITTLE_ENDIAN);
    private final byte[] page = new byte[LayerFormat.BLOCK_SIZE];
    private long windowAt;
    private int windowLength;

    private @Nullable PartDirectory directory;
    private @Nullable IndexPart index;
    private int part = -1;
    private int file;
    private int version;
    private byte[] path = new byte[0];
    private String text = "";
    private List<FileEvent> events = List.of();

    LayerCursor(LayerReader layer, LayerBytesReader bytes) {
        this.layer = layer;
        this.bytes = bytes;
    }

    /** Moves to the next path, whatever of the present one was not walked. */
    public boolean nextFile() {
        IndexPart current = index;
        file++;
        while (current == null || file >= current.count() || (file == 0 && current.isFirstContinued())) {
            if (current != null && file < current.count()) {
                file++;
            } else {
                current = nextPart();
                if (current == null) {
                    return false;
                }
            }
        }
        path = current.path(file);
        text = new String(path, StandardCharsets.UTF_8);
        events = new ArrayList<>();
        LayerReader.collectEvents(current, file, events);
        version = current.firstVersion(file) - 1;
        return true;
    }

    /** The present path. */
    public String path() {
        return text;
    }

    /** The present path's events, ascending by sequence, without growths that changed nothing. */
    public List<FileEvent> events() {
        return events;
    }

    /** Moves to the next block version of the path, ascending by block and sequence. */
    public boolean nextVersion() {
        IndexPart current = index;
        if (current == null || file >= current.count()) {
            return false;
        }
        version++;
        while (version >= current.endOfVersions(file)) {
            if (file < current.count() - 1 || !directory().beginsAtOrBefore(part + 1, path, Long.MAX_VALUE)) {
                return false;
            }
            current = nextPart();
            if (current == null) {
                return false;
            }
            version = current.firstVersion(0);
        }
        return true;
    }

    /** The present version's block. */
    public long block() {
        return present().block(version);
    }

    /** The present version; its page is read by {@link #page}. */
    public LayerBlock version() {
        return present().version(layer, version);
    }

    /** The page of a version of this layer, its checksum verified; valid until the next call. */
    public ByteBuffer page(LayerBlock wanted) {
        bytes.decode(wanted, windowBuffer, load(wanted), page);
        return ByteBuffer.wrap(page).asReadOnlyBuffer();
    }

    /** The frame of a version of this layer, verified, at the front of {@code target}. */
    void frame(LayerBlock wanted, byte[] target) {
        int at = load(wanted);
        bytes.verifyFrame(wanted, windowBuffer, at);
        System.arraycopy(window, at, target, 0, wanted.frameLength());
    }

    /** The place of a frame in the window. Pages are wanted mostly in the order of the file. */
    private int load(LayerBlock wanted) {
        if (wanted.frame() < windowAt || wanted.frame() + wanted.frameLength() > windowAt + windowLength) {
            windowAt = wanted.frame();
            windowLength = bytes.readUpTo(windowAt, window);
            if (windowLength < wanted.frameLength()) {
                throw bytes.damaged(wanted.frame(), "it ends before the page does");
            }
        }
        return (int) (wanted.frame() - windowAt);
    }

    private IndexPart present() {
        IndexPart current = index;
        if (current == null) {
            throw new IllegalStateException("the cursor is before the first path");
        }
        return current;
    }

    private PartDirectory directory() {
        PartDirectory known = directory;
        if (known == null) {
            known = layer.directory();
            directory = known;
        }
        return known;
    }

    private @Nullable IndexPart nextPart() {
        part++;
        file = 0;
        index = part < directory().count() ? bytes.part(directory(), part) : null;
        return index;
    }
}
