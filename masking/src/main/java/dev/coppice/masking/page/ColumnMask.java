package dev.coppice.masking.page;

import dev.coppice.masking.function.value.ValueMask;
import java.util.List;

/**
 * How one column is masked.
 *
 * @param number attnum
 * @param cases in order; the first whose condition holds masks the value, and if none does it is shown
 * @param exact whether the column is unique or a key, so that every value must be masked in full: one that is out of line, or whose
 *     masked form does not fit, is then an error instead of a substitute
 */
public record ColumnMask(int number, List<Case> cases, boolean exact) {
    /** A mask, and for which rows. */
    public record Case(RowCondition condition, ValueMask mask) {}

    public ColumnMask {
        cases = List.copyOf(cases);
        if (cases.isEmpty()) {
            throw new IllegalArgumentException("a masked column needs a mask");
        }
    }

    /** A column whose every value is masked. */
    public static ColumnMask always(int number, ValueMask mask, boolean exact) {
        return new ColumnMask(number, List.of(new Case(RowCondition.ALWAYS, mask)), exact);
    }
}
