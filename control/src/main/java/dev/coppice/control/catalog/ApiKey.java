package dev.coppice.control.catalog;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A key of the REST API, without the key: only its hash is stored.
 *
 * @param projectId the only project that it opens; absent = everything
 * @param lastUsedAt to a minute or so; absent = never
 * @param lastUsedFrom the address that used it last; empty = none
 */
public record ApiKey(
        long id,
        String name,
        @Nullable String projectId,
        Instant createdAt,
        @Nullable Instant lastUsedAt,
        String lastUsedFrom) {}
