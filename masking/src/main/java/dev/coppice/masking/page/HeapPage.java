package dev.coppice.masking.page;

import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.format.PageChecksum;

/** A heap page that has been checked, and the empty page that its tuples go to. */
final class HeapPage {
    private final byte[] page;
    private final int items;

    private HeapPage(byte[] page, int items) {
        this.page = page;
        this.items = items;
    }

    /** Whether a page was never written to: it is shown as zeroes. */
    static boolean isNew(byte[] page) {
        return LittleEndian.u16(page, HeapFormat.UPPER_AT) == 0;
    }

    /**
     * Checks a page's header and its line pointers: inside the page, not overlapping.
     *
     * @throws MalformedPageException if it is no heap page
     */
    static HeapPage check(byte[] page) {
        int lower = LittleEndian.u16(page, HeapFormat.LOWER_AT);
        int upper = LittleEndian.u16(page, HeapFormat.UPPER_AT);
        int special = LittleEndian.u16(page, HeapFormat.SPECIAL_AT);
        if (LittleEndian.u16(page, HeapFormat.SIZE_VERSION_AT) != HeapFormat.SIZE_VERSION) {
            throw new MalformedPageException("the page has another size or layout version");
        }
        if (lower < HeapFormat.PAGE_HEADER
                || lower > upper
                || upper > special
                || special != HeapFormat.PAGE_SIZE
                || (lower - HeapFormat.PAGE_HEADER) % HeapFormat.LINE_POINTER != 0
                || (LittleEndian.u16(page, HeapFormat.FLAGS_AT) & ~HeapFormat.KNOWN_FLAGS) != 0) {
            throw new MalformedPageException(
                    "the header of the page says lower " + lower + ", upper " + upper + ", special " + special);
        }
        HeapPage heap = new HeapPage(page, (lower - HeapFormat.PAGE_HEADER) / HeapFormat.LINE_POINTER);
        heap.checkItems(upper);
        return heap;
    }

    private void checkItems(int upper) {
        long[] taken = new long[HeapFormat.PAGE_SIZE / 8 / Long.SIZE];
        for (int number = 1; number <= items; number++) {
            int item = item(number);
            int offset = HeapFormat.offset(item);
            int length = HeapFormat.length(item);
            switch (HeapFormat.state(item)) {
                case HeapFormat.NORMAL -> {
                    if (offset < upper
                            || offset % 8 != 0
                            || length < HeapFormat.MIN_HEADER
                            || offset + length > HeapFormat.PAGE_SIZE) {
                        throw malformed(number, "is not inside the page");
                    }
                    for (int word = offset / 8; word < (offset + length + 7) / 8; word++) {
                        long bit = 1L << word % Long.SIZE;
                        if ((taken[word / Long.SIZE] & bit) != 0) {
                            throw malformed(number, "overlaps another");
                        }
                        taken[word / Long.SIZE] |= bit;
                    }
                }
                case HeapFormat.REDIRECT -> {
                    if (length != 0 || offset < 1 || offset > items) {
                        throw malformed(number, "redirects to no item");
                    }
                }
                default -> {
                    // Unused and dead ones have nothing that is kept.
                }
            }
        }
    }

    private static MalformedPageException malformed(int number, String what) {
        return new MalformedPageException("item " + number + " " + what);
    }

    int items() {
        return items;
    }

    /** The line pointer of an offset number, from 1. */
    int item(int number) {
        return LittleEndian.i32(page, HeapFormat.PAGE_HEADER + (number - 1) * HeapFormat.LINE_POINTER);
    }

    /** A page with this one's header, redirects, dead and unused items, and without a tuple or checksum. */
    byte[] emptied() {
        byte[] target = new byte[HeapFormat.PAGE_SIZE];
        System.arraycopy(page, 0, target, 0, HeapFormat.PAGE_HEADER);
        LittleEndian.put16(target, HeapFormat.CHECKSUM_AT, 0);
        for (int number = 1; number <= items; number++) {
            int item = item(number);
            switch (HeapFormat.state(item)) {
                case HeapFormat.REDIRECT -> putItem(target, number, item);
                case HeapFormat.DEAD -> putItem(target, number, HeapFormat.linePointer(0, HeapFormat.DEAD, 0));
                default -> {
                    // Unused is zeroes; a tuple's item is put with its tuple.
                }
            }
        }
        return target;
    }

    static void putItem(byte[] page, int number, int item) {
        LittleEndian.put32(page, HeapFormat.PAGE_HEADER + (number - 1) * HeapFormat.LINE_POINTER, item);
    }

    /** The page as it is served. */
    static byte[] sealed(byte[] page, long block, boolean checksums) {
        if (checksums) {
            PageChecksum.set(page, block);
        }
        return page;
    }
}
