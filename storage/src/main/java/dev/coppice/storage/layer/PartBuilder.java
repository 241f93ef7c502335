package dev.coppice.storage.layer;

import dev.coppice.storage.index.FileEventKind;
import dev.coppice.storage.layer.format.LayerFormat;
import dev.coppice.storage.layer.format.PartEncoder;

/** Encodes one index part after the other; see {@link LayerFormat}. */
final class PartBuilder {
    private static final byte[] NO_PATH = new byte[0];

    private final PartEncoder body = new PartEncoder(2 * LayerFormat.PART_BYTES);
    private final PartEncoder events = new PartEncoder(1024);
    private final PartEncoder versions = new PartEncoder(LayerFormat.PART_BYTES);
    private int files;
    private int starts;
    private int eventCount;
    private int versionCount;
    private int versionsInPart;

    private byte[] pathBefore = NO_PATH;
    private byte[] path = NO_PATH;
    private boolean continued;

    private long eventStamp;
    private long eventSequence;
    private long versionBlock;
    private long versionStamp;
    private long versionSequence;

    /** The key of the part: its first path, and its first block plus 1 when that path goes on. */
    private byte[] firstPath = NO_PATH;

    private long firstKey;

    void beginFile(byte[] newPath, boolean goesOn) {
        path = newPath;
        continued = goesOn;
        eventCount = 0;
        versionCount = 0;
        eventStamp = 0;
        eventSequence = 0;
        versionBlock = 0;
        versionStamp = 0;
        versionSequence = 0;
        events.clear();
        versions.clear();
    }

    void event(FileEventKind kind, long stamp, long sequence, long size) {
        events.u8(kind.code());
        events.delta(stamp, eventStamp);
        events.delta(sequence, eventSequence);
        events.varint(size);
        eventStamp = stamp;
        eventSequence = sequence;
        eventCount++;
    }

    /** @param frameLength 0 for a zero version */
    void version(long block, long stamp, long sequence, int frameLength) {
        if (files == 0 && continued && versionCount == 0) {
            firstKey = block + 1;
        }
        versions.varint((block - versionBlock) << 1 | (frameLength == 0 ? 1 : 0));
        versions.delta(stamp, versionStamp);
        versions.delta(sequence, versionSequence);
        if (frameLength != 0) {
            versions.varint(frameLength);
        }
        versionBlock = block;
        versionStamp = stamp;
        versionSequence = sequence;
        versionCount++;
        versionsInPart++;
    }

    void endFile() {
        if (files == 0) {
            firstPath = path;
            firstKey = continued ? firstKey : 0;
        }
        body.path(path, pathBefore);
        body.u8(continued ? LayerFormat.CONTINUED : 0);
        if (!continued) {
            body.varint(eventCount);
            body.bytes(events.array(), 0, events.length());
            starts++;
        }
        body.varint(versionCount);
        body.bytes(versions.array(), 0, versions.length());
        pathBefore = path;
        files++;
    }

    /** Whether it is time for another part. */
    boolean isFull() {
        return versionsInPart >= LayerFormat.PART_VERSIONS
                || body.length() + events.length() + versions.length() >= LayerFormat.PART_BYTES;
    }

    boolean isEmpty() {
        return files == 0;
    }

    byte[] firstPath() {
        return firstPath;
    }

    long firstKey() {
        return firstKey;
    }

    int starts() {
        return starts;
    }

    /** The part without its checksum, whose room is left free at the front; afterwards a new part begins. */
    PartEncoder finish() {
        PartEncoder part = new PartEncoder(body.length() + 16);
        part.u32(0);
        part.varint(files);
        part.bytes(body.array(), 0, body.length());
        body.clear();
        files = 0;
        starts = 0;
        versionsInPart = 0;
        firstKey = 0;
        pathBefore = NO_PATH;
        return part;
    }
}
