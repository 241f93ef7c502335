package dev.coppice.control.masking;

import dev.coppice.masking.page.TransactionStatus;
import dev.coppice.storage.boundary.Boundary;
import dev.coppice.storage.file.PageConsumer;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * pg_xact of a cluster that was shut down cleanly: a transaction that neither committed nor is a subtransaction of one will never
 * do (clog.h: two bits for each, 32 pages in a segment). Thread-safe.
 */
final class TransactionLog implements TransactionStatus {
    private static final int FIRST_NORMAL = 3;
    private static final int PER_BYTE = 4;
    private static final int PAGE_SIZE = 8192;
    private static final int PER_PAGE = PAGE_SIZE * PER_BYTE;
    private static final int PAGES_PER_SEGMENT = 32;
    private static final int IN_PROGRESS = 0;
    private static final int ABORTED = 2;

    /** Pages kept, 8 kB each. */
    private static final int MOST = 256;

    private static final byte[] UNKNOWN = new byte[0];

    private final Boundary.ParentFiles files;
    private final Map<Long, byte[]> pages = new ConcurrentHashMap<>();

    TransactionLog(Boundary.ParentFiles files) {
        this.files = files;
    }

    @Override
    public boolean aborted(int transaction) {
        long id = Integer.toUnsignedLong(transaction);
        if (id < FIRST_NORMAL) {
            return false;
        }
        byte[] page = page(id / PER_PAGE);
        int at = (int) (id % PER_PAGE);
        if (page.length == 0) {
            return false;
        }
        int status = (page[at / PER_BYTE] >> (at % PER_BYTE * 2)) & 3;
        return status == ABORTED || status == IN_PROGRESS;
    }

    private byte[] page(long number) {
        byte[] known = pages.get(number);
        if (known != null) {
            return known;
        }
        byte[] page = new byte[PAGE_SIZE];
        String segment = String.format(Locale.ROOT, "pg_xact/%04X", number / PAGES_PER_SEGMENT);
        boolean found = files.readPages(segment, number % PAGES_PER_SEGMENT, 1, new PageConsumer() {
            @Override
            public void zero(long block) {
                // It is zero already.
            }

            @Override
            public void page(long block, long stamp, ByteBuffer content) {
                content.get(content.position(), page);
            }
        });
        if (pages.size() >= MOST) {
            pages.clear();
        }
        pages.put(number, found ? page : UNKNOWN);
        return found ? page : UNKNOWN;
    }
}
