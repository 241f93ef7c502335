package dev.coppice.storage.layer.format;

import java.util.Arrays;

/** Bytes and varints, appended to an array that grows. */
public final class PartEncoder {
    private byte[] bytes;
    private int length;

    public PartEncoder(int capacity) {
        bytes = new byte[capacity];
    }

    public byte[] array() {
        return bytes;
    }

    public int length() {
        return length;
    }

    public void clear() {
        length = 0;
    }

    public void u8(int value) {
        ensure(1);
        bytes[length++] = (byte) value;
    }

    public void u32(int value) {
        ensure(4);
        putU32(length, value);
        length += 4;
    }

    public void u64(long value) {
        u32((int) value);
        u32((int) (value >>> 32));
    }

    public void putU32(int at, int value) {
        bytes[at] = (byte) value;
        bytes[at + 1] = (byte) (value >>> 8);
        bytes[at + 2] = (byte) (value >>> 16);
        bytes[at + 3] = (byte) (value >>> 24);
    }

    public void varint(long value) {
        ensure(10);
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            bytes[length++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        bytes[length++] = (byte) rest;
    }

    public void delta(long value, long before) {
        varint(LayerFormat.zigzag(value - before));
    }

    public void bytes(byte[] source, int from, int count) {
        ensure(count);
        System.arraycopy(source, from, bytes, length, count);
        length += count;
    }

    /** A path, as what it has more than the one before. */
    public void path(byte[] path, byte[] before) {
        int mismatch = Arrays.mismatch(path, before);
        int shared = mismatch < 0 ? path.length : mismatch;
        varint(shared);
        varint(path.length - shared);
        bytes(path, shared, path.length - shared);
    }

    private void ensure(int more) {
        if (bytes.length - length < more) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, Math.addExact(length, more)));
        }
    }
}
