package dev.coppice.masking.function.binary;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.crypto.SymbolPermutation;
import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.format.MalformedValueException;
import dev.coppice.masking.function.text.TextPseudonym;
import dev.coppice.masking.function.value.FixedMask;
import dev.coppice.masking.function.value.VariableMask;
import dev.coppice.masking.layout.ScalarType;
import java.util.Arrays;

/** Functions on types that are strings of bytes or bits. */
public final class BytesMasks {
    private static final long UUID = PseudoRandom.label("uuid");
    private static final long NETWORK = PseudoRandom.label("network address");
    private static final long BITS = PseudoRandom.label("bits");

    private BytesMasks() {}

    /** Types that are nothing but bytes: macaddr, macaddr8. */
    public record Plain(int length, BytesFunction function) implements FixedMask {
        @Override
        public byte[] mask(PseudoRandom random, byte[] value) {
            return function.apply(random, value);
        }

        @Override
        public byte[] blank() {
            return new byte[length];
        }
    }

    /** bytea. */
    public record Binary(BytesFunction function) implements VariableMask {
        private static final long STRANGER = PseudoRandom.label("bytea out of line");

        @Override
        public byte[] mask(PseudoRandom random, byte[] value) {
            return value.length == 0 ? value.clone() : function.apply(random, value);
        }

        @Override
        public byte[] substitute(PseudoRandom random, byte[] identity) {
            byte[] stranger = Arrays.copyOf(identity, SUBSTITUTE_CAPACITY - 1);
            LittleEndian.put64(stranger, 8, random.hash(STRANGER, 0, identity, identity.length));
            return function.apply(random, stranger);
        }

        @Override
        public byte[] shorten(byte[] masked, int capacity) {
            return Arrays.copyOf(masked, Math.min(masked.length, capacity));
        }

        @Override
        public byte[] blank() {
            return new byte[0];
        }
    }

    /** uuid: all but version and variant permuted; distinct ones stay distinct. */
    public record Uuid() implements FixedMask {
        private static final int NIBBLES = 32;
        private static final int VERSION_AT = 12;
        private static final int VARIANT_AT = 16;

        @Override
        public byte[] mask(PseudoRandom random, byte[] value) {
            int[] symbols = new int[NIBBLES];
            int[] radixes = new int[NIBBLES];
            Arrays.fill(radixes, 16);
            for (int i = 0; i < NIBBLES; i++) {
                symbols[i] = value[i / 2] >> (i % 2 == 0 ? 4 : 0) & 0xF;
            }
            int version = symbols[VERSION_AT];
            int variant = symbols[VARIANT_AT] & 0xC;
            radixes[VERSION_AT] = 1;
            symbols[VERSION_AT] = 0;
            radixes[VARIANT_AT] = 4;
            symbols[VARIANT_AT] &= 0x3;
            SymbolPermutation.permute(random, UUID, symbols, radixes);
            symbols[VERSION_AT] = version;
            symbols[VARIANT_AT] |= variant;
            byte[] masked = new byte[value.length];
            for (int i = 0; i < NIBBLES; i++) {
                masked[i / 2] |= (byte) (symbols[i] << (i % 2 == 0 ? 4 : 0));
            }
            return masked;
        }

        @Override
        public byte[] blank() {
            return new byte[NIBBLES / 2];
        }
    }

    /**
     * inet and cidr: family and prefix length stay. As a pseudonym, the bits of the network and those of the host are each permuted;
     * otherwise the address is random in 10.0.0.0/8 or fd00::/8.
     */
    public record Network(ScalarType type, boolean pseudonym) implements VariableMask {
        private static final int HEADER = 2;

        @Override
        public byte[] mask(PseudoRandom random, byte[] value) {
            int size = value.length - HEADER;
            if (size != 4 && size != 16 || (value[1] & 0xFF) > 8 * size) {
                throw new MalformedValueException("a network address has " + value.length + " bytes");
            }
            int prefix = value[1] & 0xFF;
            byte[] masked = value.clone();
            if (pseudonym) {
                permuteBits(random, masked, 0, prefix);
                permuteBits(random, masked, prefix, type == ScalarType.CIDR ? prefix : 8 * size);
                return masked;
            }
            byte first = (byte) (size == 4 ? 10 : 0xFD);
            byte[] drawn =
                    BytesFunction.random("dummy_ip", value[0], value[1], first).apply(random, value);
            System.arraycopy(drawn, 0, masked, 0, masked.length);
            for (int bit = prefix; type == ScalarType.CIDR && bit < 8 * size; bit++) {
                masked[HEADER + bit / 8] &= (byte) ~(0x80 >> bit % 8);
            }
            return masked;
        }

        private static void permuteBits(PseudoRandom random, byte[] address, int from, int to) {
            int[] bits = new int[to - from];
            int[] radixes = new int[to - from];
            Arrays.fill(radixes, 2);
            for (int i = 0; i < bits.length; i++) {
                bits[i] = address[HEADER + (from + i) / 8] >> 7 - (from + i) % 8 & 1;
            }
            SymbolPermutation.permute(random, NETWORK + address[0], bits, radixes);
            for (int i = 0; i < bits.length; i++) {
                int mask = 0x80 >> (from + i) % 8;
                int at = HEADER + (from + i) / 8;
                address[at] = (byte) (bits[i] == 0 ? address[at] & ~mask : address[at] | mask);
            }
        }

        @Override
        public byte[] blank() {
            // 0.0.0.0, of cidr 0.0.0.0/0 would do too.
            return new byte[] {2, 32, 0, 0, 0, 0};
        }
    }

    /** bit and varbit: the length stays. */
    public record Bits() implements VariableMask {
        private static final int HEADER = 4;

        @Override
        public byte[] mask(PseudoRandom random, byte[] value) {
            int bits = value.length < HEADER ? -1 : LittleEndian.i32(value, 0);
            if (bits < 0 || value.length != HEADER + (bits + 7L) / 8) {
                throw new MalformedValueException("a string of " + bits + " bits has " + value.length + " bytes");
            }
            byte[] content = Arrays.copyOfRange(value, HEADER, value.length);
            if (content.length == 0) {
                return value.clone();
            }
            int last = content.length - 1;
            int padding = content.length * 8 - bits;
            byte[] masked;
            if (content.length > TextPseudonym.MAX_SYMBOLS) {
                masked = BytesFunction.pseudonym("bits").apply(random, content);
            } else {
                int[] radixes = new int[content.length];
                Arrays.fill(radixes, 256);
                radixes[last] = 1 << 8 - padding;
                content[last] = (byte) ((content[last] & 0xFF) >>> padding);
                masked = BytesFunction.permute(random, BITS, content, radixes);
                masked[last] = (byte) (masked[last] << padding);
            }
            byte[] whole = Arrays.copyOf(value, value.length);
            System.arraycopy(masked, 0, whole, HEADER, masked.length);
            return whole;
        }

        @Override
        public byte[] blank() {
            return new byte[HEADER];
        }
    }
}
