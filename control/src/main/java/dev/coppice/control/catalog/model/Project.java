package dev.coppice.control.catalog.model;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A project: a tree of branches that share a first ancestor, and a namespace of branch names.
 *
 * @param settings what its owner has set
 * @param historyRetentionSeconds how far back its branches can be restored, 0 to {@value #RETENTION_MAX_SECONDS}
 * @param deletedAt when it was deleted; it can be recovered for a while
 */
public record Project(
        String id,
        String name,
        int pgVersion,
        int historyRetentionSeconds,
        ProjectSettings settings,
        @Nullable Instant deletedAt,
        Instant createdAt,
        Instant updatedAt) {
    /** One day, as Neon's. */
    public static final int RETENTION_DEFAULT_SECONDS = 86_400;

    /** Thirty days, as Neon's. */
    public static final int RETENTION_MAX_SECONDS = 2_592_000;

    /** A project that was not deleted. */
    public Project(
            String id,
            String name,
            int pgVersion,
            int historyRetentionSeconds,
            ProjectSettings settings,
            Instant createdAt,
            Instant updatedAt) {
        this(id, name, pgVersion, historyRetentionSeconds, settings, null, createdAt, updatedAt);
    }

    public Project renamed(String newName, Instant now) {
        return new Project(id, newName, pgVersion, historyRetentionSeconds, settings, deletedAt, createdAt, now);
    }

    public Project withRetention(int seconds, Instant now) {
        return new Project(id, name, pgVersion, seconds, settings, deletedAt, createdAt, now);
    }

    public Project withSettings(ProjectSettings newSettings, Instant now) {
        return new Project(id, name, pgVersion, historyRetentionSeconds, newSettings, deletedAt, createdAt, now);
    }

    /** @param when null = it is there again */
    public Project deleted(@Nullable Instant when, Instant now) {
        return new Project(id, name, pgVersion, historyRetentionSeconds, settings, when, createdAt, now);
    }

    public boolean isDeleted() {
        return deletedAt != null;
    }

    public Duration retention() {
        return Duration.ofSeconds(historyRetentionSeconds);
    }
}
