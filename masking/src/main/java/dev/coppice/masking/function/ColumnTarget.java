package dev.coppice.masking.function;

import dev.coppice.masking.function.number.IntegerMask;
import dev.coppice.masking.layout.DataType;

/**
 * What a function is bound to.
 *
 * @param column its name, for messages and for calls that name it
 * @param typeModifier atttypmod, -1 for none
 * @param least for integers, the least value of the narrowest column of its key group, else of its type
 * @param greatest for integers, likewise
 */
public record ColumnTarget(String column, DataType type, int typeModifier, long least, long greatest) {
    public ColumnTarget(String column, DataType type, int typeModifier) {
        this(column, type, typeModifier, IntegerMask.least(type), IntegerMask.greatest(type));
    }

    /** The same column, seen as having another type: an array's element, a JSON leaf. */
    ColumnTarget as(DataType other) {
        return new ColumnTarget(column, other, -1);
    }
}
