package dev.coppice.masking.layout;

import org.jspecify.annotations.Nullable;

/**
 * A row of pg_attribute.
 *
 * @param number attnum, from 1
 * @param type what its values are; of a dropped column anything
 * @param typeModifier atttypmod, -1 for none
 * @param length attlen: bytes, -1 varlena, -2 C string
 * @param alignment attalign, in bytes
 * @param storage attstorage: p(lain), e(xternal), m(ain), x(tended)
 * @param notNull attnotnull
 * @param dropped attisdropped
 * @param generated attgenerated: '\0' not, s(tored), v(irtual)
 * @param missing payload of attmissingval, which rows from before the column was added show; null for none
 */
public record Attribute(
        int number,
        String name,
        DataType type,
        int typeModifier,
        int length,
        int alignment,
        char storage,
        boolean notNull,
        boolean dropped,
        char generated,
        byte @Nullable [] missing) {
    public static final char NOT_GENERATED = '\0';

    public Attribute {
        if (length == 0 || length < -2 || Integer.bitCount(alignment) != 1 || alignment > 8) {
            throw new IllegalArgumentException(
                    "column " + name + " has length " + length + " and alignment " + alignment);
        }
    }

    /** A column that all rows have. */
    public Attribute(
            int number,
            String name,
            DataType type,
            int typeModifier,
            int length,
            int alignment,
            char storage,
            boolean notNull,
            boolean dropped,
            char generated) {
        this(number, name, type, typeModifier, length, alignment, storage, notNull, dropped, generated, null);
    }

    /** An ordinary column of a built-in type. */
    public static Attribute of(int number, String name, ScalarType type) {
        return of(number, name, DataType.of(type), type.length(), type.alignment());
    }

    /** An ordinary column. */
    public static Attribute of(int number, String name, DataType type, int length, int alignment) {
        char storage = length == -1 ? 'x' : 'p';
        return new Attribute(number, name, type, -1, length, alignment, storage, false, false, NOT_GENERATED);
    }

    public boolean isVarlena() {
        return length == -1;
    }
}
