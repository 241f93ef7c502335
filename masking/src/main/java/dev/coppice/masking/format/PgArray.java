package dev.coppice.masking.format;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An array on disk (utils/array.h): dimensions, lower bounds, an optional null bitmap, elements. Offsets count from the start of
 * a 4-byte varlena header, which the payload here lacks.
 *
 * @param header the bytes before the elements: dimension count, data offset, element type, dimensions, lower bounds
 * @param hasNullBitmap whether the array has room for NULLs
 * @param elements the stored elements without alignment, null for NULL; varlena elements with their headers
 */
public record PgArray(byte[] header, boolean hasNullBitmap, List<byte @Nullable []> elements) {
    private static final int MAX_DIMENSIONS = 6;
    private static final int FIXED_HEADER = 12;

    /** How elements of a type are stored: length (-1 varlena), alignment in bytes. */
    public record ElementLayout(int length, int alignment) {}

    /**
     * Takes an array apart.
     *
     * @throws MalformedValueException if the payload is no such array
     */
    public static PgArray decode(byte[] payload, ElementLayout layout) {
        if (payload.length < FIXED_HEADER) {
            throw malformed("is shorter than its header");
        }
        int dimensions = LittleEndian.i32(payload, 0);
        if (dimensions < 0 || dimensions > MAX_DIMENSIONS || payload.length < FIXED_HEADER + 8 * dimensions) {
            throw malformed("has " + dimensions + " dimensions");
        }
        int headerSize = FIXED_HEADER + 8 * dimensions;
        long count = dimensions == 0 ? 0 : 1;
        for (int d = 0; d < dimensions; d++) {
            int size = LittleEndian.i32(payload, FIXED_HEADER + 4 * d);
            count = size < 0 ? -1 : count * size;
            if (count < 0 || count > payload.length * 8L) {
                throw malformed("claims more elements than its bytes can hold");
            }
        }
        boolean hasNulls = LittleEndian.i32(payload, 4) != 0;
        int data = dataStart(headerSize, hasNulls, (int) count);
        if (hasNulls && LittleEndian.i32(payload, 4) != data + Varlena.HEADER) {
            throw malformed("has its data at an unexpected offset");
        }
        List<byte @Nullable []> elements = new ArrayList<>((int) count);
        int at = data;
        for (int i = 0; i < count; i++) {
            if (hasNulls && (payload[headerSize + i / 8] & 1 << i % 8) == 0) {
                elements.add(null);
                continue;
            }
            at = align(payload, at, layout);
            int size = at >= payload.length
                    ? Integer.MAX_VALUE
                    : layout.length() > 0 ? layout.length() : Varlena.size(payload, at, payload.length);
            if (size > payload.length - at) {
                throw malformed("ends inside an element");
            }
            elements.add(java.util.Arrays.copyOfRange(payload, at, at + size));
            at += size;
        }
        return new PgArray(java.util.Arrays.copyOf(payload, headerSize), hasNulls, elements);
    }

    private static int align(byte[] payload, int at, ElementLayout layout) {
        if (layout.length() < 0 && at < payload.length && payload[at] != 0) {
            return at;
        }
        return alignUp(at, layout.alignment());
    }

    /** Offsets in a payload are 4 less than in the value. */
    private static int alignUp(int at, int alignment) {
        return (at + Varlena.HEADER + alignment - 1 & -alignment) - Varlena.HEADER;
    }

    private static int dataStart(int headerSize, boolean hasNulls, int count) {
        return alignUp(headerSize + (hasNulls ? (count + 7) / 8 : 0), 8);
    }

    private static MalformedValueException malformed(String what) {
        return new MalformedValueException("an array " + what);
    }

    /** The payload. NULL elements need {@link #hasNullBitmap}. */
    public byte[] encode(ElementLayout layout) {
        int end = dataStart(header.length, hasNullBitmap, elements.size());
        int data = elements.isEmpty() ? header.length : end;
        for (byte[] element : elements) {
            if (element != null) {
                end = alignFor(end, element, layout) + element.length;
            }
        }
        byte[] payload = new byte[elements.isEmpty() ? header.length : end];
        System.arraycopy(header, 0, payload, 0, header.length);
        int at = data;
        for (int i = 0; i < elements.size(); i++) {
            byte[] element = elements.get(i);
            if (element == null) {
                continue;
            }
            if (hasNullBitmap) {
                payload[header.length + i / 8] |= (byte) (1 << i % 8);
            }
            at = alignFor(at, element, layout);
            System.arraycopy(element, 0, payload, at, element.length);
            at += element.length;
        }
        return payload;
    }

    private static int alignFor(int at, byte[] element, ElementLayout layout) {
        boolean unaligned = layout.length() < 0 && Varlena.form(element, 0) == Varlena.Form.SHORT;
        return unaligned ? at : alignUp(at, layout.alignment());
    }

    /** The payload of an array without elements. */
    public static byte[] empty(int elementType) {
        byte[] payload = new byte[FIXED_HEADER];
        LittleEndian.put32(payload, 8, elementType);
        return payload;
    }
}
