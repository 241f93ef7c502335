package dev.coppice.storage.wal;

import java.util.Locale;

/** Numbers of the WAL format (xlog_internal.h, xlogrecord.h). */
public final class WalFormat {
    /** XLOG_BLCKSZ, in bytes. */
    public static final int PAGE_SIZE = 8192;

    /** The segment size when no segment says otherwise, in bytes. */
    static final int DEFAULT_SEGMENT_SIZE = 16 << 20;

    static final int SHORT_HEADER_SIZE = 24;
    static final int LONG_HEADER_SIZE = 40;

    static final int FIRST_IS_CONTRECORD = 1;
    static final int LONG_HEADER = 2;
    static final int FIRST_IS_OVERWRITE_CONTRECORD = 8;
    static final int ALL_FLAGS = 15;

    static final int RECORD_HEADER_SIZE = 24;

    /** XLogRecordMaxSize, in bytes. */
    static final int MAX_RECORD_SIZE = 1020 << 20;

    private WalFormat() {}

    /** Rounds up to a multiple of 8, as MAXALIGN does. */
    static long align(long value) {
        return (value + 7) & ~7L;
    }

    /** The size of the page header at the start of a page. */
    static int headerSize(long pageStart, int segmentSize) {
        return Long.remainderUnsigned(pageStart, segmentSize) == 0 ? LONG_HEADER_SIZE : SHORT_HEADER_SIZE;
    }

    /** The file name of a segment on timeline 1 of Postgres. */
    public static String segmentName(long lsn, int segmentSize) {
        long number = Long.divideUnsigned(lsn, segmentSize);
        long perId = 0x1_0000_0000L / segmentSize;
        return String.format(
                Locale.ROOT,
                "00000001%08X%08X",
                Long.divideUnsigned(number, perId),
                Long.remainderUnsigned(number, perId));
    }

    /** The first position of the segment with this name, which {@link #segmentName} gave. */
    static long segmentOf(String name, int segmentSize) {
        long perId = 0x1_0000_0000L / segmentSize;
        long number = Long.parseLong(name, 8, 16, 16) * perId + Long.parseLong(name, 16, 24, 16);
        return number * segmentSize;
    }

    /** The first position of the segment that holds {@code lsn}. */
    public static long segmentStart(long lsn, int segmentSize) {
        return lsn - Long.remainderUnsigned(lsn, segmentSize);
    }
}
