/**
 * Keyed pseudo-randomness: a pseudo-random function on bytes, and permutations of numbers and of strings of symbols.
 *
 * <p>What must stay true: same key and same input, same output, for ever and on every machine; the permutations are bijective on
 * their domain, whatever its size.
 *
 * <p>This package knows nothing of Postgres.
 */
@NullMarked
package dev.coppice.masking.crypto;

import org.jspecify.annotations.NullMarked;
