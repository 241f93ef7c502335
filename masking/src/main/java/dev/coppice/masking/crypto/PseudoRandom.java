package dev.coppice.masking.crypto;

import dev.coppice.masking.format.LittleEndian;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
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

    /** The first of several blocks costs ten times as much as another one. */
    static final int BLOCKS_AT_ONCE = 8;

    /** Results of {@link #hash} that are kept, each for some inputs: shapes and domains come again and again. */
    private static final int KNOWN = 256;

    private static final int KNOWN_LENGTH_MAX = 64;

    private final Cipher cipher;
    private final byte[] state = new byte[BLOCK];
    private final byte[] states = new byte[BLOCKS_AT_ONCE * BLOCK];
    private final Recent<TableId, int[]> tables = new Recent<>();
    private final Recent<TextId, String> texts = new Recent<>();
    private final Known[] known = new Known[KNOWN];

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
        if (length > KNOWN_LENGTH_MAX) {
            digest(label, tweak, value, length);
            return LittleEndian.i64(state, 0);
        }
        int place = (int) (label ^ tweak);
        for (int i = 0; i < length; i++) {
            place = 31 * place + value[i];
        }
        place = (place ^ place >>> 16) & KNOWN - 1;
        Known found = known[place];
        if (found == null
                || found.label != label
                || found.tweak != tweak
                || !Arrays.equals(found.value, 0, found.value.length, value, 0, length)) {
            digest(label, tweak, value, length);
            found = new Known(label, tweak, Arrays.copyOf(value, length), LittleEndian.i64(state, 0));
            known[place] = found;
        }
        return found.hash;
    }

    private record Known(long label, int tweak, byte[] value, long hash) {}

    /**
     * What {@code make} gives for a text, remembered for a while: for texts of which there are few.
     *
     * @param make gives the same for the same label and text, under this key
     */
    public String remembered(long label, String text, Supplier<String> make) {
        TextId id = new TextId(label, text);
        String before = texts.get(id);
        if (before == null) {
            before = make.get();
            texts.put(id, before);
        }
        return before;
    }

    private record TextId(long label, String text) {}

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

    /** Blocks of a stream, each as its low 64 bits, from that of {@code counter} on. */
    void blocks(long high, long low, long counter, long[] into) {
        int count = into.length;
        for (int i = 0; i < count; i++) {
            LittleEndian.put64(states, i * BLOCK, high ^ counter + i);
            LittleEndian.put64(states, i * BLOCK + 8, low);
        }
        try {
            cipher.update(states, 0, count * BLOCK, states, 0);
        } catch (ShortBufferException e) {
            throw new IllegalStateException(e);
        }
        for (int i = 0; i < count; i++) {
            into[i] = LittleEndian.i64(states, i * BLOCK);
        }
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

    /** What was used last. */
    private static final class Recent<K, V> extends LinkedHashMap<K, V> {
        private static final int LIMIT = 512;

        Recent() {
            super(16, 0.75f, true);
        }

        @Override
        protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
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
