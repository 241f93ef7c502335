package dev.coppice.control.api.server;

import org.jspecify.annotations.Nullable;

/**
 * Who calls.
 *
 * @param keyId of the API key
 * @param projectId the only project that the key opens; absent = everything
 * @param anonymizedOnly whether the key is for anonymized branches, see {@link AnonymizedScope}
 * @param address from where
 * @param sessionId of the console, when the request came with one instead of the key
 */
public record Caller(
        long keyId,
        String keyName,
        @Nullable String projectId,
        boolean anonymizedOnly,
        String address,
        @Nullable Long sessionId) {
    /** Whether the caller may see a project. */
    public boolean sees(String project) {
        return projectId == null || projectId.equals(project);
    }
}
