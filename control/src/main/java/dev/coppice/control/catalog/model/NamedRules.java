package dev.coppice.control.catalog.model;

import java.time.Instant;

/**
 * Masking rules that a project keeps under a name.
 *
 * @param rules JSON, as {@code control.masking.RuleSet} reads and writes it
 */
public record NamedRules(String projectId, String name, String rules, Instant createdAt, Instant updatedAt) {}
