package dev.coppice.masking.page;

import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.format.MalformedValueException;
import dev.coppice.masking.format.Varlena;
import dev.coppice.masking.layout.Attribute;
import dev.coppice.masking.layout.RelationLayout;
import dev.coppice.masking.layout.ScalarType;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * Blanks the chunks of a TOAST table. A chunk says which value it belongs to and not which column, so whoever has counted the pointers
 * in the unmasked columns tells which values may be shown; every other chunk keeps its place and length, as zeroes, so the TOAST
 * index stays true.
 */
public final class ToastPageMasker {
    private static final int CHUNK_DATA = 2;

    private final TupleWalk walk;
    private final boolean checksums;

    /** @param checksums whether the cluster has data checksums */
    public ToastPageMasker(boolean checksums) {
        this.checksums = checksums;
        Attribute data = new Attribute(
                3,
                "chunk_data",
                dev.coppice.masking.layout.DataType.of(ScalarType.BYTEA),
                -1,
                -1,
                4,
                'p',
                false,
                false,
                Attribute.NOT_GENERATED);
        RelationLayout layout = new RelationLayout(
                0,
                "pg_toast",
                "pg_toast",
                List.of(
                        Attribute.of(1, "chunk_id", ScalarType.OID),
                        Attribute.of(2, "chunk_seq", ScalarType.INT4),
                        data));
        this.walk = new TupleWalk(layout);
    }

    /**
     * The page as the branch may see it.
     *
     * @param page 8192 bytes of the TOAST table's main fork; not changed
     * @param block its number in the fork
     * @param shown whether a value (its OID as an int) belongs to an unmasked column
     * @throws MalformedPageException if it is no page of a TOAST table
     */
    public byte[] mask(byte[] page, long block, IntPredicate shown) {
        if (HeapPage.isNew(page)) {
            return new byte[HeapFormat.PAGE_SIZE];
        }
        try {
            HeapPage heap = HeapPage.check(page);
            byte[] target = heap.emptied();
            for (int number = 1; number <= heap.items(); number++) {
                int item = heap.item(number);
                if (HeapFormat.state(item) == HeapFormat.NORMAL) {
                    chunk(page, HeapFormat.offset(item), HeapFormat.length(item), target, shown);
                    HeapPage.putItem(target, number, item);
                }
            }
            return HeapPage.sealed(target, block, checksums);
        } catch (MalformedPageException | MalformedValueException e) {
            throw new MalformedPageException("TOAST block " + block + ": " + e.getMessage(), e);
        }
    }

    private void chunk(byte[] page, int offset, int length, byte[] target, IntPredicate shown) {
        walk.walk(page, offset, length);
        if (walk.count() != 3 || walk.nullable()) {
            throw TupleWalk.malformed("is no chunk");
        }
        boolean show = shown.test(LittleEndian.i32(page, walk.start(0)));
        int data = walk.start(CHUNK_DATA);
        int header = Varlena.form(page, data) == Varlena.Form.SHORT ? Varlena.SHORT_HEADER : Varlena.HEADER;
        System.arraycopy(page, offset, target, offset, show ? length : data + header - offset);
    }
}
