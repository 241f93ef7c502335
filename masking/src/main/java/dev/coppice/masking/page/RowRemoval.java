package dev.coppice.masking.page;

import java.util.function.Predicate;

/**
 * Takes rows out of a page, for catalogs whose rows hold values of masked columns (pg_statistic, pg_statistic_ext_data): their items become
 * dead, so that index entries that point to them lead nowhere until vacuum removes them.
 *
 * <p>The visibility map must not say that the page is all visible; the page's own flag is cleared here.
 */
public final class RowRemoval {
    private RowRemoval() {}

    /**
     * The page without some rows.
     *
     * @param removed which to remove, by their position in the page; all versions of a row should be
     * @throws MalformedPageException if it is no heap page
     */
    public static byte[] apply(byte[] page, long block, boolean checksums, Predicate<TuplePosition> removed) {
        if (HeapPage.isNew(page)) {
            return new byte[HeapFormat.PAGE_SIZE];
        }
        HeapPage heap = HeapPage.check(page);
        byte[] target = heap.emptied();
        boolean any = false;
        for (int number = 1; number <= heap.items(); number++) {
            int item = heap.item(number);
            if (HeapFormat.state(item) != HeapFormat.NORMAL) {
                continue;
            }
            int offset = HeapFormat.offset(item);
            int length = HeapFormat.length(item);
            if (removed.test(new TuplePosition(offset, length))) {
                any = true;
                HeapPage.putItem(target, number, HeapFormat.linePointer(0, HeapFormat.DEAD, 0));
            } else {
                System.arraycopy(page, offset, target, offset, length);
                HeapPage.putItem(target, number, item);
            }
        }
        if (any) {
            target[HeapFormat.FLAGS_AT] &= (byte) ~HeapFormat.ALL_VISIBLE;
        }
        return HeapPage.sealed(target, block, checksums);
    }

    /** Where a tuple lies in its page, in bytes, header included. */
    public record TuplePosition(int offset, int length) {}
}
