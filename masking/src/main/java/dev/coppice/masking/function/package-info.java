/**
 * The vocabulary of masking functions, bound to the types of columns.
 *
 * <p>What must stay true: a function's result depends on the value, the key and its arguments only (not on how or where the value is
 * stored), and fits where the value was; equal values of a type give equal results; a function that says it is injective is.
 * Functions share their pseudo-randomness by name, so the same function masks the same value alike in every table.
 *
 * <p>{@link dev.coppice.masking.function.MaskFunctions} lists and binds them. This package knows nothing of pages and rules.
 */
@NullMarked
package dev.coppice.masking.function;

import org.jspecify.annotations.NullMarked;
