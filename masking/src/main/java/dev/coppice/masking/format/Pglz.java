package dev.coppice.masking.format;

import java.util.Arrays;

/**
 * The compression of Postgres (pg_lzcompress.c): a control byte for every 8 items, lowest bit first; 0 = a literal byte, 1 = a
 * copy of 3 to 273 bytes from up to 4095 bytes before.
 */
final class Pglz {
    private static final int MIN_MATCH = 3;
    private static final int MAX_MATCH = 273;
    private static final int LONG_MATCH = 18;
    private static final int MAX_OFFSET = 0xFFF;
    private static final int HASH_BITS = 12;

    private Pglz() {}

    /** @param rawSize bytes that must come out, as the value's header says */
    static byte[] decompress(byte[] source, int from, int to, int rawSize) {
        // A copy of 273 bytes takes three and an eighth: more cannot come out, so a lying header costs no memory.
        if (rawSize > (to - from) * 88L) {
            throw new MalformedValueException("compressed bytes cannot hold the " + rawSize + " bytes that they claim");
        }
        byte[] target = new byte[rawSize];
        int at = from;
        int out = 0;
        while (at < to && out < rawSize) {
            int control = source[at++];
            for (int item = 0; item < 8 && at < to && out < rawSize; item++, control >>= 1) {
                if ((control & 1) == 0) {
                    target[out++] = source[at++];
                    continue;
                }
                if (at + 2 > to) {
                    throw corrupt();
                }
                int length = (source[at] & 0x0F) + MIN_MATCH;
                int offset = (source[at] & 0xF0) << 4 | source[at + 1] & 0xFF;
                at += 2;
                if (length == LONG_MATCH) {
                    if (at >= to) {
                        throw corrupt();
                    }
                    length += source[at++] & 0xFF;
                }
                if (offset == 0 || offset > out) {
                    throw corrupt();
                }
                for (int end = Math.min(out + length, rawSize); out < end; out++) {
                    target[out] = target[out - offset];
                }
            }
        }
        if (out != rawSize || at != to) {
            throw corrupt();
        }
        return target;
    }

    private static MalformedValueException corrupt() {
        return new MalformedValueException("pglz-compressed bytes are corrupt");
    }

    /** As tightly as Postgres does: a masked value has to fit where its original was. */
    static byte[] compress(byte[] source) {
        byte[] target = new byte[source.length + source.length / 8 + 2];
        History history = new History(source);
        int out = 0;
        int control = 0;
        int items = 8;
        for (int at = 0; at < source.length; items++) {
            if (items == 8) {
                items = 0;
                control = out;
                target[out++] = 0;
            }
            history.find(at);
            int length = history.length;
            if (length < MIN_MATCH) {
                history.add(at);
                target[out++] = source[at++];
                continue;
            }
            target[control] |= (byte) (1 << items);
            int offset = at - history.start;
            target[out++] = (byte) (offset >> 4 & 0xF0 | Math.min(length, LONG_MATCH) - MIN_MATCH);
            target[out++] = (byte) offset;
            if (length >= LONG_MATCH) {
                target[out++] = (byte) (length - LONG_MATCH);
            }
            for (int end = at + length; at < end; at++) {
                history.add(at);
            }
        }
        return Arrays.copyOf(target, out);
    }

    /** Where the same three bytes were before, newest first. */
    private static final class History {
        private static final int MAX_CANDIDATES = 128;

        private final byte[] source;
        private final int[] newest = new int[1 << HASH_BITS];
        private final int[] older;

        /** The longest match that {@link #find} found: where it begins, and how long it is. */
        private int start;

        private int length;

        History(byte[] source) {
            this.source = source;
            this.older = new int[source.length];
            Arrays.fill(newest, -1);
        }

        void add(int at) {
            if (at + MIN_MATCH <= source.length) {
                int slot = slot(at);
                older[at] = newest[slot];
                newest[slot] = at;
            }
        }

        void find(int at) {
            length = 0;
            if (at + MIN_MATCH > source.length) {
                return;
            }
            int candidate = newest[slot(at)];
            for (int n = 0;
                    n < MAX_CANDIDATES && candidate >= 0 && at - candidate <= MAX_OFFSET && length < MAX_MATCH;
                    n++) {
                int found = matchLength(candidate, at);
                if (found > length) {
                    start = candidate;
                    length = found;
                }
                candidate = older[candidate];
            }
        }

        private int slot(int at) {
            int three = source[at] & 0xFF | (source[at + 1] & 0xFF) << 8 | (source[at + 2] & 0xFF) << 16;
            return three * 0x9E3779B1 >>> 32 - HASH_BITS;
        }

        private int matchLength(int candidate, int at) {
            int limit = Math.min(MAX_MATCH, source.length - at);
            int matching = 0;
            while (matching < limit && source[candidate + matching] == source[at + matching]) {
                matching++;
            }
            return matching;
        }
    }
}
