package dev.coppice.control.catalog.model;

import java.time.Instant;

/**
 * A role of a branch as listed.
 *
 * @param isProtected whether the API refuses to change it
 */
public record Role(String branchId, LoginRole login, boolean isProtected, Instant createdAt, Instant updatedAt) {
    public String name() {
        return login.name();
    }
}
