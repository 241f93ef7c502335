package dev.coppice.masking.page;

/** Whether a row is masked, by the original values of its columns. */
@FunctionalInterface
public interface RowCondition {
    /** Masks every row. */
    RowCondition ALWAYS = row -> true;

    /** Whether to mask the row; in doubt true. */
    boolean holds(Row row);

    /** The original values of a row. */
    interface Row {
        /** The value of a column, by attnum. */
        Field field(int number);
    }

    /** One original value. */
    sealed interface Field {}

    /** A value: a fixed-length one's bytes or a variable-length one's payload. Not to be changed. */
    record Value(byte[] bytes) implements Field {}

    /** The two other states. */
    enum Absent implements Field {
        /** SQL's NULL. */
        NULL,
        /** Stored out of line. */
        UNREADABLE
    }
}
