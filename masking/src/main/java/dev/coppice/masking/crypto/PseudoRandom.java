package dev.coppice.masking.crypto;

import dev.coppice.masking.format.LittleEndian;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.crypto.Cipher;
import javax.crypto.ShortBufferException;

/**
 * A pseudo-random function under a {@link MaskKey}: AES-128-CBC-MAC over a first block of label, length and tweak, which makes the
 * inputs prefix-free, so that no input is the beginning of another.
 *
 * <p>AES has an instruction on every machine that we run on; HMAC-SHA-256 took several times as long for values of a few
 * bytes. Not thread-safe: one object per thread.
 */
public final class PseudoRandom {
    private static final int BLOCK = 16;

    private final Cipher cipher;
    private final byte[] state = new byte[BLOCK];
    private final Tables tables = new Tables();

    public PseudoRandom(MaskKey key) {
        try {
            // Single blocks that are chained here by hand: ECB is the bare block cipher.
            cipher = Cipher.getInstance("AES/ECB/NoPadding");
            cipher.init(Cipher.ENCRYPT_MODE, key.derive("pseudo-random function"));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the JDK lacks AES", e);
        }
    }

    /** A label for a purpose, to give to the other methods: FNV-1a of its name. */
    public static long label(String name) {
        long hash = 0xCBF29CE484222325L;
        for (byte letter : name.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ letter & 0xFF) * 0x100000001B3L;
        }
        return hash;
    }

    /** 64 pseudo-random bits for a label and two numbers: a single block. */
    long number(long label, int tweak, int value) {
        LittleEndian.put64(state, 0, label);
        // No input of the other method has this sign bit: it holds a length there.
        LittleEndian.put32(state, 8, tweak | Integer.MIN_VALUE);
        LittleEndian.put32(state, 12, value);
        encrypt();
        return LittleEndian.i64(state, 0);
    }

    /**
     * A pseudo-random number from 0 to {@code bound - 1} for a number; the bias is below {@code bound / 2^128}.
     *
     * @param label itself pseudo-random, so that its blocks are none of the other methods'
     * @param bound below 2^62
     */
    long below(long label, long value, long bound) {
        LittleEndian.put64(state, 0, label);
        LittleEndian.put64(state, 8, value);
        encrypt();
        // The upper 64 bits of bound times a 128-bit fraction.
        long low = LittleEndian.i64(state, 0) * bound;
        long carry = Math.unsignedMultiplyHigh(LittleEndian.i64(state, 8), bound);
        long high = Math.unsignedMultiplyHigh(LittleEndian.i64(state, 0), bound);
        return Long.compareUnsigned(low + carry, low) < 0 ? high + 1 : high;
    }

    /** A stream of pseudo-random numbers that depends on a label and all bytes of a value. */
    public RandomStream stream(long label, byte[] value) {
        return stream(label, value, value.length);
    }

    RandomStream stream(long label, byte[] value, int length) {
        digest(label, 0, value, length);
        return new RandomStream(this, LittleEndian.i64(state, 0), LittleEndian.i64(state, 8));
    }

    /** 64 pseudo-random bits for a label and the first {@code length} bytes of a value. */
    public long hash(long label, int tweak, byte[] value, int length) {
        digest(label, tweak, value, length);
        return LittleEndian.i64(state, 0);
    }

    private void digest(long label, int tweak, byte[] value, int length) {
        LittleEndian.put64(state, 0, label);
        LittleEndian.put32(state, 8, length);
        LittleEndian.put32(state, 12, tweak);
        encrypt();
        for (int at = 0; at < length; at += BLOCK) {
            int end = Math.min(BLOCK, length - at);
            for (int i = 0; i < end; i++) {
                state[i] ^= value[at + i];
            }
            encrypt();
        }
    }

    /** One block of a stream, as its low 64 bits. */
    long block(long high, long low, long counter) {
        LittleEndian.put64(state, 0, high ^ counter);
        LittleEndian.put64(state, 8, low);
        encrypt();
        return LittleEndian.i64(state, 0);
    }

    /** A random permutation of 0 to {@code size - 1} that leaves no number where it was; not to be changed. */
    int[] table(long label, int size) {
        return tables.computeIfAbsent(new TableId(label, size), id -> {
            int[] table = new int[size];
            RandomStream stream = new RandomStream(this, label, ~(long) size);
            // Sattolo's shuffle: each number goes into the cycle of those before it.
            for (int i = 1; i < size; i++) {
                int other = stream.below(i);
                table[i] = table[other];
                table[other] = i;
            }
            return table;
        });
    }

    private record TableId(long label, int size) {}

    private static final class Tables extends LinkedHashMap<TableId, int[]> {
        private static final int LIMIT = 512;

        Tables() {
            super(16, 0.75f, true);
        }

        @Override
        protected boolean removeEldestEntry(Map.Entry<TableId, int[]> eldest) {
            return size() > LIMIT;
        }
    }

    private void encrypt() {
        try {
            cipher.update(state, 0, BLOCK, state, 0);
        } catch (ShortBufferException e) {
            throw new IllegalStateException(e);
        }
    }
}
