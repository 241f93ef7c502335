package dev.coppice.control.catalog.model;

import java.time.Instant;

/** A database of a branch as listed. */
public record Database(long id, String branchId, String name, String ownerName, Instant createdAt, Instant updatedAt) {}
