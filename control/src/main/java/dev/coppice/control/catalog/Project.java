package dev.coppice.control.catalog;

import java.time.Duration;
import java.time.Instant;

/**
 * A project: a tree of branches that share a first ancestor, and a namespace of branch names.
 *
 * @param settings what its owner has set
 * @param historyRetentionSeconds how far back its branches can be restored, 0 to {@value #RETENTION_MAX_SECONDS}
 */
public record Project(
        String id,
        String name,
        int pgVersion,
        int historyRetentionSeconds,
        ProjectSettings settings,
        Instant createdAt,
        Instant updatedAt) {
    /** One day, as Neon's. */
    public static final int RETENTION_DEFAULT_SECONDS = 86_400;

    /** Thirty days, as Neon's. */
    public static final int RETENTION_MAX_SECONDS = 2_592_000;

    public Project renamed(String newName, Instant now) {
        return new Project(id, newName, pgVersion, historyRetentionSeconds, settings, createdAt, now);
    }

    public Project withRetention(int seconds, Instant now) {
        return new Project(id, name, pgVersion, seconds, settings, createdAt, now);
    }

    public Project withSettings(ProjectSettings newSettings, Instant now) {
        return new Project(id, name, pgVersion, historyRetentionSeconds, newSettings, createdAt, now);
    }

    public Duration retention() {
        return Duration.ofSeconds(historyRetentionSeconds);
    }
}
