package dev.coppice.storage.wal;

import java.nio.ByteBuffer;
import java.util.function.LongSupplier;

/**
 * Of another timeline's WAL only the record of the checkpoint that it was shut down with: every byte of other records is zero.
 * Headers of pages stay, because Postgres and {@link WalScanner} look at them; they say where a record goes on, never what
 * is in one. Thread-safe.
 */
public final class CheckpointWal implements WalSource {
    private final WalSource whole;
    private final LongSupplier checkpoint;
    private final long end;
    private volatile long known;

    /**
     * @param whole the WAL with everything
     * @param checkpoint where the record begins; asked once, when WAL is first read
     * @param end where it ends
     */
    public CheckpointWal(WalSource whole, LongSupplier checkpoint, long end) {
        this.whole = whole;
        this.checkpoint = checkpoint;
        this.end = end;
    }

    @Override
    public int segmentSize() {
        return whole.segmentSize();
    }

    @Override
    public int read(long lsn, ByteBuffer target) {
        int from = target.position();
        int got = whole.read(lsn, target);
        long start = start();
        for (int i = 0; i < got; ) {
            long at = lsn + i;
            long page = at - Long.remainderUnsigned(at, WalFormat.PAGE_SIZE);
            int stop = (int) Math.min(got, page + WalFormat.PAGE_SIZE - lsn);
            long data = page + WalFormat.headerSize(page, segmentSize());
            blank(target, from, i, Math.clamp(data - lsn, i, stop), stop, lsn, start);
            i = stop;
        }
        return got;
    }

    /** Blanks what follows a page's header, but for the record. */
    private void blank(ByteBuffer target, int from, int begin, int data, int stop, long lsn, long start) {
        for (int i = Math.max(begin, data); i < stop; i++) {
            long at = lsn + i;
            if (Long.compareUnsigned(at, start) < 0 || Long.compareUnsigned(at, end) >= 0) {
                target.put(from + i, (byte) 0);
            }
        }
    }

    private long start() {
        long start = known;
        if (start == 0) {
            start = checkpoint.getAsLong();
            known = start;
        }
        return start;
    }
}
