package dev.coppice.control.catalog.model;

import org.jspecify.annotations.Nullable;

/**
 * What decides whether somebody may log in: a role of a branch as in its pg_authid.
 *
 * @param verifier {@code rolpassword} as Postgres stores it; absent when the role has no password
 */
public record LoginRole(String name, @Nullable String verifier, boolean canLogin) {}
