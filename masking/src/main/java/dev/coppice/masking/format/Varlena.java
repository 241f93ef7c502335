package dev.coppice.masking.format;

/**
 * Headers of variable-length values (varatt.h, postgres.h before 16).
 *
 * <p>The first byte tells the form: even = 4-byte header (bit 1 set = compressed), 1 = pointer to a TOAST table, odd = 1-byte
 * header, unaligned. A <em>payload</em> is what follows the header, after decompression.
 */
public final class Varlena {
    /** How a value is stored. */
    public enum Form {
        /** 1-byte header, never aligned. */
        SHORT,
        /** 4-byte header, aligned. */
        PLAIN,
        /** 4-byte header, size and method, compressed bytes; aligned. */
        COMPRESSED,
        /** A pointer to a TOAST table, never aligned. */
        EXTERNAL
    }

    public static final int SHORT_HEADER = 1;
    public static final int HEADER = 4;
    public static final int COMPRESSED_HEADER = 8;

    /** The most payload bytes behind a 1-byte header. */
    public static final int SHORT_CAPACITY = 126;

    /** A pointer to a TOAST table with its two bytes of header. */
    public static final int POINTER_SIZE = 18;

    private static final int ON_DISK_TAG = 18;
    private static final int PGLZ = 0;
    private static final int LZ4 = 1;
    private static final int RAW_SIZE_MASK = 0x3FFF_FFFF;

    private Varlena() {}

    /** The form of the value that begins at {@code at}. */
    public static Form form(byte[] bytes, int at) {
        int first = bytes[at] & 0xFF;
        if ((first & 1) == 0) {
            return (first & 2) == 0 ? Form.PLAIN : Form.COMPRESSED;
        }
        return first == 1 ? Form.EXTERNAL : Form.SHORT;
    }

    /**
     * The size in bytes, header included, of the value that begins at {@code at}.
     *
     * @param end the first byte that cannot belong to it
     * @throws MalformedValueException if it does not end before {@code end}
     */
    public static int size(byte[] bytes, int at, int end) {
        int size = switch (form(bytes, at)) {
            case SHORT -> (bytes[at] & 0xFF) >>> 1;
            case EXTERNAL -> {
                if (at + 2 > end || bytes[at + 1] != ON_DISK_TAG) {
                    throw new MalformedValueException("a pointer to a TOAST table has a tag that is not on disk");
                }
                yield POINTER_SIZE;
            }
            case PLAIN, COMPRESSED -> {
                if (at + HEADER > end) {
                    throw new MalformedValueException("a variable-length value is cut inside its header");
                }
                int header = LittleEndian.i32(bytes, at) >>> 2;
                if (header < (form(bytes, at) == Form.PLAIN ? HEADER : COMPRESSED_HEADER)) {
                    throw new MalformedValueException(
                            "a variable-length value claims " + header + " bytes, fewer than its header");
                }
                yield header;
            }
        };
        if (size > end - at) {
            throw new MalformedValueException(
                    "a variable-length value claims " + size + " bytes where " + (end - at) + " are left");
        }
        return size;
    }

    /**
     * The payload of the value that begins at {@code at}, decompressed.
     *
     * @param size as {@link #size} gave it
     * @throws MalformedValueException if it is stored out of line or does not decompress
     */
    public static byte[] payload(byte[] bytes, int at, int size) {
        return switch (form(bytes, at)) {
            case SHORT -> java.util.Arrays.copyOfRange(bytes, at + SHORT_HEADER, at + size);
            case PLAIN -> java.util.Arrays.copyOfRange(bytes, at + HEADER, at + size);
            case COMPRESSED -> decompress(bytes, at, size);
            case EXTERNAL -> throw new MalformedValueException("a value stored out of line has no payload here");
        };
    }

    private static byte[] decompress(byte[] bytes, int at, int size) {
        int info = LittleEndian.i32(bytes, at + HEADER);
        int rawSize = info & RAW_SIZE_MASK;
        int from = at + COMPRESSED_HEADER;
        return switch (info >>> 30) {
            case PGLZ -> Pglz.decompress(bytes, from, at + size, rawSize);
            case LZ4 -> Lz4Block.decompress(bytes, from, at + size, rawSize);
            default -> throw new MalformedValueException("unknown compression method " + (info >>> 30));
        };
    }

    /** A payload behind a 1-byte header. */
    public static byte[] shortForm(byte[] payload) {
        if (payload.length > SHORT_CAPACITY) {
            throw new IllegalArgumentException(payload.length + " bytes do not fit behind a 1-byte header");
        }
        byte[] stored = new byte[SHORT_HEADER + payload.length];
        stored[0] = (byte) (stored.length << 1 | 1);
        System.arraycopy(payload, 0, stored, SHORT_HEADER, payload.length);
        return stored;
    }

    /** A payload behind a 4-byte header. */
    public static byte[] plainForm(byte[] payload) {
        byte[] stored = new byte[HEADER + payload.length];
        LittleEndian.put32(stored, 0, stored.length << 2);
        System.arraycopy(payload, 0, stored, HEADER, payload.length);
        return stored;
    }

    /** A payload compressed with pglz, whether that made it smaller or not. */
    public static byte[] compressedForm(byte[] payload) {
        byte[] packed = Pglz.compress(payload);
        byte[] stored = new byte[COMPRESSED_HEADER + packed.length];
        LittleEndian.put32(stored, 0, stored.length << 2 | 2);
        LittleEndian.put32(stored, HEADER, payload.length);
        System.arraycopy(packed, 0, stored, COMPRESSED_HEADER, packed.length);
        return stored;
    }
}
