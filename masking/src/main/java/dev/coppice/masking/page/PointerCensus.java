package dev.coppice.masking.page;

import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.format.Varlena;
import dev.coppice.masking.layout.Attribute;
import dev.coppice.masking.layout.RelationLayout;
import java.util.Arrays;
import java.util.Set;
import java.util.function.IntPredicate;

/**
 * Counts the pointers of a table into its TOAST table, so that {@link ToastPageMasker} can tell what may be shown: values that an
 * unmasked column points to, and no masked or dropped one. Takes four bytes for each value. For one thread; what {@link
 * #shown} returns is for any.
 */
public final class PointerCensus {
    /** va_valueid of varatt_external, from the pointer's first byte. */
    private static final int VALUE_AT = 10;

    private final RelationLayout layout;
    private final Set<Integer> hiddenColumns;
    private final TransactionStatus transactions;
    private final TupleWalk walk;
    private final Values shown = new Values();
    private final Values hidden = new Values();

    /** @param hiddenColumns the numbers of masked columns; dropped ones are hidden without */
    public PointerCensus(RelationLayout layout, Set<Integer> hiddenColumns, TransactionStatus transactions) {
        this.layout = layout;
        this.hiddenColumns = Set.copyOf(hiddenColumns);
        this.transactions = transactions;
        this.walk = new TupleWalk(layout);
    }

    /** Whether a table can have values out of line that must not be shown. */
    public static boolean isNeeded(RelationLayout layout, Set<Integer> hiddenColumns) {
        return layout.attributes().stream()
                .anyMatch(attribute ->
                        attribute.isVarlena() && (attribute.dropped() || hiddenColumns.contains(attribute.number())));
    }

    /**
     * Counts a page of the table.
     *
     * @throws MalformedPageException if it is none
     */
    public void page(byte[] page) {
        if (HeapPage.isNew(page)) {
            return;
        }
        HeapPage heap = HeapPage.check(page);
        for (int number = 1; number <= heap.items(); number++) {
            int item = heap.item(number);
            int offset = HeapFormat.offset(item);
            if (HeapFormat.state(item) == HeapFormat.NORMAL && !HeapPageMasker.aborted(page, offset, transactions)) {
                walk.walk(page, offset, HeapFormat.length(item));
                count(page);
            }
        }
    }

    private void count(byte[] page) {
        for (int i = 0; i < walk.count(); i++) {
            Attribute attribute = layout.attributes().get(i);
            int start = walk.start(i);
            if (start != TupleWalk.NULL
                    && attribute.isVarlena()
                    && Varlena.form(page, start) == Varlena.Form.EXTERNAL) {
                boolean hide = attribute.dropped() || hiddenColumns.contains(attribute.number());
                (hide ? hidden : shown).add(LittleEndian.i32(page, start + VALUE_AT));
            }
        }
    }

    /** Which values may be shown, of all pages so far. */
    public IntPredicate shown() {
        int[] show = shown.sorted();
        int[] hide = hidden.sorted();
        return value -> Arrays.binarySearch(show, value) >= 0 && Arrays.binarySearch(hide, value) < 0;
    }

    /** A growing list of ints. */
    private static final class Values {
        private int[] values = new int[64];
        private int size;

        void add(int value) {
            if (size == values.length) {
                values = Arrays.copyOf(values, size * 2);
            }
            values[size++] = value;
        }

        int[] sorted() {
            int[] sorted = Arrays.copyOf(values, size);
            Arrays.sort(sorted);
            return sorted;
        }
    }
}
