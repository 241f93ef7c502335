package dev.coppice.proxy;

import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;

/** Inputs near to given ones: what the fuzzer does without looking at the code, for a run of every build. */
public final class Mutations {
    private static final int[] TELLING = {0, 1, 3, 4, 5, 0x7F, 0x80, 0xFF};
    private static final int MAX_CHANGES = 8;

    private Mutations() {}

    /** Feeds the target with this many inputs; the seed of the one that fails is in the message. */
    public static void feed(int rounds, List<byte[]> seeds, Consumer<byte[]> target) {
        long first = Long.getLong("coppice.seed", System.nanoTime());
        for (long seed = first; seed < first + rounds; seed++) {
            byte[] input = mutated(seeds, new Random(seed));
            try {
                target.accept(input);
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("-Dcoppice.seed=" + seed, e);
            }
        }
    }

    private static byte[] mutated(List<byte[]> seeds, Random random) {
        byte[] bytes = seeds.get(random.nextInt(seeds.size())).clone();
        int changes = random.nextInt(MAX_CHANGES);
        for (int i = 0; i < changes; i++) {
            int at = random.nextInt(bytes.length + 1);
            int length = Math.min(bytes.length - at, 1 + random.nextInt(8));
            switch (random.nextInt(5)) {
                case 0 -> bytes = spliced(bytes, at, 0, bytes, at, length);
                case 1 -> bytes = spliced(bytes, at, length, bytes, 0, 0);
                case 2 -> {
                    byte[] other = seeds.get(random.nextInt(seeds.size()));
                    int from = random.nextInt(other.length + 1);
                    bytes = spliced(bytes, at, length, other, from, random.nextInt(other.length - from + 1));
                }
                case 3 -> set(bytes, at, TELLING[random.nextInt(TELLING.length)]);
                default -> set(bytes, at, random.nextInt());
            }
        }
        return bytes;
    }

    private static void set(byte[] bytes, int at, int value) {
        if (at < bytes.length) {
            bytes[at] = (byte) value;
        }
    }

    /** A part of one in the place of a part of another. */
    private static byte[] spliced(byte[] of, int at, int length, byte[] other, int from, int otherLength) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(of, 0, at);
        out.write(other, from, otherLength);
        out.write(of, at + length, of.length - at - length);
        return out.toByteArray();
    }
}
