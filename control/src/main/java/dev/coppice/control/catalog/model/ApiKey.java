package dev.coppice.control.catalog.model;

import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A key of the REST API, without the key: only its hash is stored.
 *
 * @param projectId the only project that it opens; absent = everything
 * @param scope what it opens there
 * @param lastUsedAt to a minute or so; absent = never
 * @param lastUsedFrom the address that used it last; empty = none
 */
public record ApiKey(
        long id,
        String name,
        @Nullable String projectId,
        Scope scope,
        Instant createdAt,
        @Nullable Instant lastUsedAt,
        String lastUsedFrom) {

    /** What a key opens. */
    public enum Scope {
        /** Everything of its project, or of all projects. */
        FULL,
        /** Anonymized branches of its project and their children; nothing that shows an original or changes what is masked. */
        ANONYMIZED;

        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** @throws IllegalArgumentException for anything else than full or anonymized */
        public static Scope of(String text) {
            for (Scope each : values()) {
                if (each.text().equals(text)) {
                    return each;
                }
            }
            throw new IllegalArgumentException("scope: must be full or anonymized, and is \"" + text + "\"");
        }
    }
}
