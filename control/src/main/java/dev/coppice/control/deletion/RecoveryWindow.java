package dev.coppice.control.deletion;

import java.time.Duration;
import java.time.Instant;

/**
 * How long what was deleted can be recovered; its space is given back afterwards.
 *
 * @param branchSeconds 0 = a deleted branch is gone at once
 * @param projectSeconds 0 = a deleted project is gone at once
 */
public record RecoveryWindow(int branchSeconds, int projectSeconds) {
    /** Seven days, as Neon's. */
    public static final int DEFAULT_SECONDS = 604_800;

    public RecoveryWindow {
        if (branchSeconds < 0 || projectSeconds < 0) {
            throw new IllegalArgumentException("a recovery window cannot be negative");
        }
    }

    public Instant branchUntil(Instant deletedAt) {
        return deletedAt.plus(Duration.ofSeconds(branchSeconds));
    }

    public Instant projectUntil(Instant deletedAt) {
        return deletedAt.plus(Duration.ofSeconds(projectSeconds));
    }
}
