package dev.coppice.storage.wal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * Walks from record to record. Stands at a boundary (the end of one record, so the beginning of the next); {@link #next}
 * moves over one valid record or stays. A later scanner can go on from {@link #position} and {@link #previous}. Not
 * thread-safe.
 */
public final class WalScanner {
    /** Bytes read at once. */
    private static final int WINDOW = 16 * WalFormat.PAGE_SIZE;

    private final WalStore store;
    private final int segmentSize;
    private final ByteBuffer window = ByteBuffer.allocate(WINDOW).order(ByteOrder.LITTLE_ENDIAN);
    private long windowStart;
    private int windowLength;

    private long position;
    private long previous;
    private short magic;

    private byte[] record = new byte[512];
    private int recordLength;
    private long recordStart;

    /**
     * Stands at {@code position}.
     *
     * @param position a record boundary
     * @param previous where the record before it begins, or 0 when not known
     */
    public WalScanner(WalStore store, long position, long previous) {
        this.store = store;
        this.segmentSize = store.segmentSize();
        this.position = position;
        this.previous = previous;
    }

    /**
     * A scanner at the first boundary at or after the page that begins at {@code pageStart}, before {@code limit}; null
     * when there is none.
     */
    public static @org.jspecify.annotations.Nullable WalScanner atPage(WalStore store, long pageStart, long limit) {
        WalScanner scanner = new WalScanner(store, pageStart, 0);
        for (long page = pageStart; Long.compareUnsigned(page, limit) < 0; page += WalFormat.PAGE_SIZE) {
            int at = scanner.page(page);
            if (at < 0) {
                return null;
            }
            int header = WalFormat.headerSize(page, scanner.segmentSize);
            boolean continued = (scanner.window.getShort(at + 2) & WalFormat.FIRST_IS_CONTRECORD) != 0;
            long rest = continued ? WalFormat.align(Integer.toUnsignedLong(scanner.window.getInt(at + 16))) : 0;
            if (rest < WalFormat.PAGE_SIZE - header) {
                scanner.position = rest == 0 ? page : page + header + rest;
                return scanner;
            }
        }
        return null;
    }

    /** The boundary: the end of the last record. */
    public long position() {
        return position;
    }

    /** Where the last record begins; 0 when not known. */
    public long previous() {
        return previous;
    }

    /** Moves over the next record; false, and nothing moved, when there is no valid one (yet). */
    public boolean next() {
        long start = position;
        while (true) {
            long restart = read(start);
            if (restart == DONE) {
                return true;
            }
            if (restart == NONE) {
                // What is not valid now may be valid later: never trust these bytes again.
                windowLength = 0;
                return false;
            }
            start = restart;
        }
    }

    private static final long DONE = 0;
    private static final long NONE = -1;

    /** {@link #DONE}, {@link #NONE}, or the page at which an aborted record was overwritten. */
    private long read(long from) {
        long start = from;
        long pageStart = start - Long.remainderUnsigned(start, WalFormat.PAGE_SIZE);
        int at = page(pageStart);
        if (at < 0) {
            return NONE;
        }
        int header = WalFormat.headerSize(pageStart, segmentSize);
        if (start == pageStart) {
            start += header;
        } else if (start < pageStart + header) {
            return NONE;
        }
        boolean continued = (window.getShort(at + 2) & WalFormat.FIRST_IS_CONTRECORD) != 0;
        if (start == pageStart + header && continued) {
            return NONE;
        }
        int offset = (int) (start - pageStart);
        int total = window.getInt(at + offset);
        if (total < WalFormat.RECORD_HEADER_SIZE || total > WalFormat.MAX_RECORD_SIZE) {
            return NONE;
        }
        recordLength = 0;
        append(at + offset, Math.min(total, WalFormat.PAGE_SIZE - offset));
        long end = start + recordLength;
        while (recordLength < total) {
            if (recordLength >= WalFormat.RECORD_HEADER_SIZE && !plausibleHeader(start)) {
                return NONE;
            }
            pageStart += WalFormat.PAGE_SIZE;
            at = page(pageStart);
            if (at < 0) {
                return NONE;
            }
            int flags = window.getShort(at + 2);
            if ((flags & WalFormat.FIRST_IS_OVERWRITE_CONTRECORD) != 0) {
                return pageStart;
            }
            int rest = total - recordLength;
            if ((flags & WalFormat.FIRST_IS_CONTRECORD) == 0 || window.getInt(at + 16) != rest) {
                return NONE;
            }
            header = WalFormat.headerSize(pageStart, segmentSize);
            int length = Math.min(rest, WalFormat.PAGE_SIZE - header);
            append(at + header, length);
            end = pageStart + header + length;
        }
        if (!plausibleHeader(start) || !checksumRight()) {
            return NONE;
        }
        recordStart = start;
        previous = start;
        position = WalFormat.align(end);
        if (rmgr() == 0 && (info() & 0xF0) == 0x40) {
            // XLOG_SWITCH: the record extends to the end of its segment.
            position = WalFormat.segmentStart(position + segmentSize - 1, segmentSize);
        }
        return DONE;
    }

    private boolean plausibleHeader(long start) {
        long link = longAt(8);
        return previous == 0 ? Long.compareUnsigned(link, start) < 0 : link == previous;
    }

    private boolean checksumRight() {
        CRC32C crc = new CRC32C();
        crc.update(record, WalFormat.RECORD_HEADER_SIZE, recordLength - WalFormat.RECORD_HEADER_SIZE);
        crc.update(record, 0, 20);
        return (int) crc.getValue() == intAt(20);
    }

    private void append(int at, int length) {
        if (recordLength + length > record.length) {
            record = Arrays.copyOf(record, Math.max(recordLength + length, record.length * 2));
        }
        window.get(at, record, recordLength, length);
        recordLength += length;
    }

    /** The page's place in the window, or -1 when it is not there or its header is not right. */
    private int page(long pageStart) {
        if (pageStart < windowStart || pageStart + WalFormat.PAGE_SIZE > windowStart + windowLength) {
            window.clear();
            windowStart = pageStart;
            windowLength = store.read(pageStart, window);
            if (windowLength % WalFormat.PAGE_SIZE != 0) {
                // The chain ends inside a page, where a timeline begins that has no WAL of its own yet.
                Arrays.fill(window.array(), windowLength, window.capacity(), (byte) 0);
                windowLength += WalFormat.PAGE_SIZE - windowLength % WalFormat.PAGE_SIZE;
            }
            if (windowLength == 0) {
                return -1;
            }
        }
        int at = (int) (pageStart - windowStart);
        short found = window.getShort(at);
        int flags = window.getShort(at + 2);
        boolean needsLong = Long.remainderUnsigned(pageStart, segmentSize) == 0;
        if (found == 0
                || (magic != 0 && found != magic)
                || (flags & ~WalFormat.ALL_FLAGS) != 0
                || ((flags & WalFormat.LONG_HEADER) != 0) != needsLong
                || window.getLong(at + 8) != pageStart) {
            return -1;
        }
        magic = found;
        return at;
    }

    /** Where the record that {@link #next} moved over begins, after any page header. */
    public long recordStart() {
        return recordStart;
    }

    /** The resource manager of the last record. */
    public int rmgr() {
        return record[17];
    }

    /** xl_info of the last record. */
    public int info() {
        return Byte.toUnsignedInt(record[16]);
    }

    /**
     * When the last record is a commit (also of a prepared transaction): its time in microseconds since 2000-01-01 UTC;
     * else {@link CommitTimes#NO_TIME}.
     */
    public long commitTime() {
        int operation = info() & 0x70;
        if (rmgr() != 1 || (operation != 0x00 && operation != 0x30)) {
            return CommitTimes.NO_TIME;
        }
        int at = WalFormat.RECORD_HEADER_SIZE;
        while (at < recordLength) {
            switch (Byte.toUnsignedInt(record[at])) {
                case 253 -> at += 3; // replication origin
                case 252 -> at += 5; // top-level transaction
                case 255 -> {
                    return at + 2 + 8 <= recordLength ? longAt(at + 2) : CommitTimes.NO_TIME;
                }
                case 254 -> {
                    return at + 5 + 8 <= recordLength ? longAt(at + 5) : CommitTimes.NO_TIME;
                }
                default -> {
                    return CommitTimes.NO_TIME; // a commit refers to no blocks
                }
            }
        }
        return CommitTimes.NO_TIME;
    }

    private int intAt(int at) {
        return (record[at] & 0xFF)
                | ((record[at + 1] & 0xFF) << 8)
                | ((record[at + 2] & 0xFF) << 16)
                | ((record[at + 3] & 0xFF) << 24);
    }

    private long longAt(int at) {
        return (intAt(at) & 0xFFFF_FFFFL) | ((long) intAt(at + 4) << 32);
    }
}
