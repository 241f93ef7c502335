package dev.coppice.masking;

import java.util.Random;

/** Random choices of a test, which a failure can repeat: {@code -Dcoppice.seed=...}. */
public final class Seed {
    private Seed() {}

    public static long next() {
        String given = System.getProperty("coppice.seed");
        return given == null ? System.nanoTime() : Long.parseLong(given);
    }

    public static String message(long seed) {
        return "repeat with -Dcoppice.seed=" + seed;
    }

    public static Random random(long seed) {
        return new Random(seed);
    }
}
