/**
 * Identifiers in Neon's shapes, because unmodified clients check them: {@code br-word-word-12345678} for a branch, {@code
 * ep-word-word-12345678} for an endpoint, {@code word-word-12345678} for a project. They are random, contain nothing
 * about what they name, and fit a timeline id (36 characters).
 */
@NullMarked
package dev.coppice.control.id;

import org.jspecify.annotations.NullMarked;
