package dev.coppice.compute.sandbox;

import java.util.List;
import java.util.Locale;

/**
 * How well computes are kept from each other and from the machine.
 *
 * @param missing what would make it better, in words for an administrator; computes run with all the rest
 */
public record Isolation(Level level, List<String> missing) {
    /** From the weakest to the strongest. */
    public enum Level {
        /** A program in a compute can do what its user can. */
        NONE,
        /** The kernel confines computes, which share a user: files, signals, system calls. */
        LANDLOCK,
        /** As well, computes run as users other than the server's. */
        FULL
    }

    public Isolation {
        missing = List.copyOf(missing);
    }

    /** Whether programs in a compute are held back at all. */
    public boolean confines() {
        return level != Level.NONE;
    }

    /** {@code full}, {@code landlock} or {@code none}. */
    public String name() {
        return level.name().toLowerCase(Locale.ROOT);
    }

    /** As {@code coppice status} shows it: {@code full}, or {@code none (missing: Landlock)}. */
    public String text() {
        return missing.isEmpty() ? name() : name() + " (missing: " + String.join("; ", missing) + ")";
    }
}
