package dev.coppice.masking.function.binary;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.crypto.RandomStream;
import dev.coppice.masking.crypto.SymbolPermutation;
import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.function.text.TextPseudonym;

/** What a function makes of bytes: as many bytes. */
public interface BytesFunction {
    byte[] apply(PseudoRandom random, byte[] value);

    /**
     * Other bytes; distinct values stay distinct. Of a value longer than {@value TextPseudonym#MAX_SYMBOLS} bytes the first 16 become
     * pseudo-random and the others 0, so that the value compresses.
     */
    static BytesFunction pseudonym(String name) {
        long label = PseudoRandom.label(name);
        return (random, value) -> {
            if (value.length > TextPseudonym.MAX_SYMBOLS) {
                byte[] token = new byte[value.length];
                RandomStream stream = random.stream(~label, value);
                LittleEndian.put64(token, 0, stream.nextLong());
                LittleEndian.put64(token, 8, stream.nextLong());
                return token;
            }
            int[] radixes = new int[value.length];
            java.util.Arrays.fill(radixes, 256);
            return permute(random, label, value, radixes);
        };
    }

    /** Permutes bytes whose values each are below a radix. */
    static byte[] permute(PseudoRandom random, long label, byte[] value, int[] radixes) {
        int[] symbols = new int[value.length];
        for (int i = 0; i < value.length; i++) {
            symbols[i] = value[i] & 0xFF;
        }
        SymbolPermutation.permute(random, label, symbols, radixes);
        byte[] masked = new byte[value.length];
        for (int i = 0; i < value.length; i++) {
            masked[i] = (byte) symbols[i];
        }
        return masked;
    }

    /** Pseudo-random bytes, of which the first {@code kept} are given. */
    static BytesFunction random(String name, byte... kept) {
        long label = PseudoRandom.label(name);
        return (random, value) -> {
            RandomStream stream = random.stream(label, value);
            byte[] masked = new byte[value.length];
            for (int i = 0; i < masked.length; i++) {
                masked[i] = i < kept.length ? kept[i] : (byte) stream.nextLong();
            }
            return masked;
        };
    }
}
