package dev.coppice.control.catalog;

import java.time.Instant;

/** A project: a tree of branches that share a first ancestor, and a namespace of branch names. */
public record Project(String id, String name, int pgVersion, Instant createdAt, Instant updatedAt) {
    public Project renamed(String newName, Instant now) {
        return new Project(id, newName, pgVersion, createdAt, now);
    }
}
