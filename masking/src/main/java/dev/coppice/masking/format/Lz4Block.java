package dev.coppice.masking.format;

/** Decompression of an LZ4 block (lz4_Block_format.md of the LZ4 project), as Postgres stores it inline. */
final class Lz4Block {
    private static final int MIN_MATCH = 4;

    private Lz4Block() {}

    /** @param rawSize bytes that must come out, as the value's header says */
    static byte[] decompress(byte[] source, int from, int to, int rawSize) {
        if (rawSize > (to - from) * 256L) {
            throw new MalformedValueException("compressed bytes cannot hold the " + rawSize + " bytes that they claim");
        }
        byte[] target = new byte[rawSize];
        int out = 0;
        int[] cursor = {from};
        while (cursor[0] < to) {
            int token = source[cursor[0]++] & 0xFF;
            int literals = length(source, cursor, to, token >>> 4);
            if (literals > to - cursor[0] || literals > rawSize - out) {
                throw corrupt();
            }
            System.arraycopy(source, cursor[0], target, out, literals);
            cursor[0] += literals;
            out += literals;
            if (cursor[0] == to) {
                break;
            }
            if (cursor[0] + 2 > to) {
                throw corrupt();
            }
            int offset = LittleEndian.u16(source, cursor[0]);
            cursor[0] += 2;
            int match = length(source, cursor, to, token & 0x0F) + MIN_MATCH;
            if (offset == 0 || offset > out || match > rawSize - out) {
                throw corrupt();
            }
            for (int end = out + match; out < end; out++) {
                target[out] = target[out - offset];
            }
        }
        if (out != rawSize) {
            throw corrupt();
        }
        return target;
    }

    private static int length(byte[] source, int[] cursor, int to, int nibble) {
        int length = nibble;
        if (nibble == 15) {
            int more;
            do {
                if (cursor[0] >= to) {
                    throw corrupt();
                }
                more = source[cursor[0]++] & 0xFF;
                length += more;
            } while (more == 255);
        }
        return length;
    }

    private static MalformedValueException corrupt() {
        return new MalformedValueException("LZ4-compressed bytes are corrupt");
    }
}
