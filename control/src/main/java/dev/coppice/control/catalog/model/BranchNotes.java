package dev.coppice.control.catalog.model;

import java.time.Instant;
import java.util.Map;

/** What clients note about one branch: names and texts. */
public record BranchNotes(String branchId, Map<String, String> value, Instant createdAt, Instant updatedAt) {}
