package dev.coppice.masking.page;

/** Offsets and bits of heap pages and tuples (bufpage.h, itemid.h, htup_details.h); the same from 14 to 18. */
final class HeapFormat {
    static final int PAGE_SIZE = 8192;

    // The page header.
    static final int CHECKSUM_AT = 8;
    static final int FLAGS_AT = 10;
    static final int LOWER_AT = 12;
    static final int UPPER_AT = 14;
    static final int SPECIAL_AT = 16;
    static final int SIZE_VERSION_AT = 18;
    static final int PAGE_HEADER = 24;
    static final int SIZE_VERSION = PAGE_SIZE | 4;
    static final int KNOWN_FLAGS = 7;
    static final int ALL_VISIBLE = 4;

    // Line pointers: offset 15 bits, state 2, length 15.
    static final int LINE_POINTER = 4;
    static final int UNUSED = 0;
    static final int NORMAL = 1;
    static final int REDIRECT = 2;
    static final int DEAD = 3;

    // The tuple header.
    static final int XMIN_AT = 0;
    static final int INFOMASK2_AT = 18;
    static final int INFOMASK_AT = 20;
    static final int HOFF_AT = 22;
    static final int BITMAP_AT = 23;
    static final int MIN_HEADER = 24;

    static final int NATTS_MASK = 0x07FF;

    static final int HAS_NULL = 0x0001;
    static final int HAS_VARWIDTH = 0x0002;
    static final int HAS_EXTERNAL = 0x0004;
    static final int XMIN_COMMITTED = 0x0100;
    static final int XMIN_INVALID = 0x0200;

    private HeapFormat() {}

    static int offset(int linePointer) {
        return linePointer & 0x7FFF;
    }

    static int state(int linePointer) {
        return linePointer >>> 15 & 3;
    }

    static int length(int linePointer) {
        return linePointer >>> 17;
    }

    static int linePointer(int offset, int state, int length) {
        return offset | state << 15 | length << 17;
    }

    static int alignUp(int at, int alignment) {
        return at + alignment - 1 & -alignment;
    }

    /** Where a tuple's data begins. */
    static int dataOffset(int attributes, boolean nullable) {
        return alignUp(BITMAP_AT + (nullable ? (attributes + 7) / 8 : 0), 8);
    }
}
