package dev.coppice.masking.function;

import dev.coppice.masking.function.value.Uniqueness;
import dev.coppice.masking.function.value.ValueMask;

/**
 * A function as it will mask one column.
 *
 * @param description the call, as text
 * @param uniqueness for values of this column's type
 */
public record BoundFunction(String description, Uniqueness uniqueness, ValueMask mask) {}
