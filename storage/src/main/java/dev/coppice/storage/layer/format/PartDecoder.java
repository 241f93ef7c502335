package dev.coppice.storage.layer.format;

import dev.coppice.storage.fault.ChecksumMismatchException;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * Reads what {@link PartEncoder} wrote. Its bytes have passed their checksum, so what it refuses was written wrongly or
 * matches by accident; it refuses before it allocates.
 */
public final class PartDecoder {
    private final byte[] bytes;
    private final Supplier<String> where;
    private int at;

    /** @param where names the layer and the unit in errors */
    public PartDecoder(byte[] bytes, int from, Supplier<String> where) {
        this.bytes = bytes;
        this.at = from;
        this.where = where;
    }

    public int remaining() {
        return bytes.length - at;
    }

    public int u8() {
        require(remaining() >= 1);
        return bytes[at++] & 0xFF;
    }

    long varint() {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            int next = u8();
            value |= (next & 0x7FL) << shift;
            if (next < 0x80) {
                require(shift < 63 || next <= 1);
                return value;
            }
        }
        throw refuse();
    }

    public long delta(long before) {
        return before + LayerFormat.unzigzag(varint());
    }

    /** A number of things that take at least {@code least} bytes each. */
    public int count(int least) {
        long value = varint();
        require(value >= 0 && value <= remaining() / least);
        return (int) value;
    }

    /** A number from 0 to {@code most}. */
    public long bounded(long most) {
        long value = varint();
        require(value >= 0 && value <= most);
        return value;
    }

    public byte[] path(byte[] before) {
        int shared = (int) bounded(before.length);
        int rest = count(1);
        byte[] path = Arrays.copyOf(before, shared + rest);
        System.arraycopy(bytes, at, path, shared, rest);
        at += rest;
        return path;
    }

    public void require(boolean right) {
        if (!right) {
            throw refuse();
        }
    }

    private ChecksumMismatchException refuse() {
        return new ChecksumMismatchException(where.get() + " makes no sense at its byte " + at);
    }
}
