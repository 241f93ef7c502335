package dev.coppice.masking.page;

import dev.coppice.masking.format.LittleEndian;
import java.util.Arrays;

/** A heap page, made tuple by tuple. */
final class TestPage {
    private final byte[] page = new byte[HeapFormat.PAGE_SIZE];
    private int items;
    private int upper = HeapFormat.PAGE_SIZE;

    TestPage() {
        LittleEndian.put16(page, HeapFormat.SPECIAL_AT, HeapFormat.PAGE_SIZE);
        LittleEndian.put16(page, HeapFormat.SIZE_VERSION_AT, HeapFormat.SIZE_VERSION);
        page[HeapFormat.FLAGS_AT] = HeapFormat.ALL_VISIBLE;
    }

    /** A tuple without NULLs. */
    TestPage tuple(int transaction, int hints, int attributes, byte[] data) {
        int length = HeapFormat.MIN_HEADER + data.length;
        upper -= HeapFormat.alignUp(length, 8);
        LittleEndian.put32(page, upper + HeapFormat.XMIN_AT, transaction);
        LittleEndian.put16(page, upper + HeapFormat.INFOMASK2_AT, attributes);
        LittleEndian.put16(page, upper + HeapFormat.INFOMASK_AT, HeapFormat.HAS_VARWIDTH | hints);
        page[upper + HeapFormat.HOFF_AT] = HeapFormat.MIN_HEADER;
        System.arraycopy(data, 0, page, upper + HeapFormat.MIN_HEADER, data.length);
        return item(HeapFormat.linePointer(upper, HeapFormat.NORMAL, length));
    }

    TestPage item(int linePointer) {
        HeapPage.putItem(page, ++items, linePointer);
        return this;
    }

    byte[] build() {
        LittleEndian.put16(page, HeapFormat.LOWER_AT, HeapFormat.PAGE_HEADER + items * HeapFormat.LINE_POINTER);
        LittleEndian.put16(page, HeapFormat.UPPER_AT, upper);
        // What vacuum leaves in the hole.
        byte[] leftover = "leftover".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        System.arraycopy(leftover, 0, page, upper - 16, leftover.length);
        return page.clone();
    }

    static int item(byte[] page, int number) {
        return LittleEndian.i32(page, HeapFormat.PAGE_HEADER + (number - 1) * HeapFormat.LINE_POINTER);
    }

    /** The data of an item's tuple. */
    static byte[] data(byte[] page, int number) {
        int item = item(page, number);
        int offset = HeapFormat.offset(item);
        return Arrays.copyOfRange(page, offset + HeapFormat.MIN_HEADER, offset + HeapFormat.length(item));
    }
}
