package dev.coppice.masking.page;

import dev.coppice.masking.crypto.MaskKey;
import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.format.MalformedValueException;
import dev.coppice.masking.layout.RelationLayout;
import java.util.List;

/**
 * Masks the heap pages of one relation. Not thread-safe: one object per thread.
 *
 * <p>Each page must be masked exactly once, as it was in the parent: pseudonyms of pseudonyms are others.
 */
public final class HeapPageMasker {
    private final RelationLayout layout;
    private final TupleMasker tuples;
    private final TransactionStatus transactions;
    private final boolean checksums;

    /**
     * @param columns at most one for each column; dropped columns are blanked without
     * @param checksums whether the cluster has data checksums
     */
    public HeapPageMasker(
            RelationLayout layout,
            List<ColumnMask> columns,
            MaskKey key,
            TransactionStatus transactions,
            boolean checksums) {
        this.layout = layout;
        this.tuples = new TupleMasker(layout, columns, new PseudoRandom(key));
        this.transactions = transactions;
        this.checksums = checksums;
    }

    /**
     * The page as the branch may see it.
     *
     * @param page 8192 bytes of the relation's main fork; not changed
     * @param block its number in the fork, for its checksum and for messages
     * @throws MalformedPageException if the page is not what the layout says
     * @throws UnmaskableValueException if a value has no masked form
     */
    public byte[] mask(byte[] page, long block) {
        if (page.length != HeapFormat.PAGE_SIZE) {
            throw new IllegalArgumentException("a page of " + page.length + " bytes");
        }
        if (HeapPage.isNew(page)) {
            return new byte[HeapFormat.PAGE_SIZE];
        }
        int number = 0;
        try {
            HeapPage heap = HeapPage.check(page);
            byte[] target = heap.emptied();
            for (number = 1; number <= heap.items(); number++) {
                int item = heap.item(number);
                if (HeapFormat.state(item) == HeapFormat.NORMAL) {
                    int offset = HeapFormat.offset(item);
                    int length = tuple(page, offset, HeapFormat.length(item), target);
                    HeapPage.putItem(target, number, HeapFormat.linePointer(offset, HeapFormat.NORMAL, length));
                }
            }
            return HeapPage.sealed(target, block, checksums);
        } catch (MalformedPageException | MalformedValueException e) {
            throw new MalformedPageException(at(block, number) + e.getMessage(), e);
        } catch (UnmaskableValueException e) {
            throw new UnmaskableValueException(at(block, number) + e.getMessage());
        }
    }

    private String at(long block, int number) {
        return layout.qualifiedName() + ", block " + block + (number == 0 ? ": " : ", item " + number + ": ");
    }

    private int tuple(byte[] page, int offset, int length, byte[] target) {
        if (aborted(page, offset, transactions)) {
            return withoutData(page, offset, target);
        }
        return tuples.mask(page, offset, length, target);
    }

    /**
     * Whether a tuple's inserter aborted. Its columns may never have been the table's (ALTER TABLE in the same transaction), so they
     * cannot be told apart; and nobody will ever read them.
     */
    static boolean aborted(byte[] page, int offset, TransactionStatus transactions) {
        int hints = LittleEndian.u16(page, offset + HeapFormat.INFOMASK_AT)
                & (HeapFormat.XMIN_COMMITTED | HeapFormat.XMIN_INVALID);
        return hints == HeapFormat.XMIN_INVALID
                || hints == 0 && transactions.aborted(LittleEndian.i32(page, offset + HeapFormat.XMIN_AT));
    }

    /** Only the header, with no attributes: chains and vacuum need no more. */
    private static int withoutData(byte[] page, int offset, byte[] target) {
        System.arraycopy(page, offset, target, offset, HeapFormat.BITMAP_AT);
        int infomask2 = LittleEndian.u16(page, offset + HeapFormat.INFOMASK2_AT) & ~HeapFormat.NATTS_MASK;
        int infomask = LittleEndian.u16(page, offset + HeapFormat.INFOMASK_AT)
                & ~(HeapFormat.HAS_NULL | HeapFormat.HAS_VARWIDTH | HeapFormat.HAS_EXTERNAL);
        LittleEndian.put16(target, offset + HeapFormat.INFOMASK2_AT, infomask2);
        LittleEndian.put16(target, offset + HeapFormat.INFOMASK_AT, infomask);
        target[offset + HeapFormat.HOFF_AT] = (byte) HeapFormat.MIN_HEADER;
        return HeapFormat.MIN_HEADER;
    }
}
