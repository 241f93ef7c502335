/** Functions on numbers, and on the types that have few values or that numbers bound: booleans, enums, intervals and ranges. */
@NullMarked
package dev.coppice.masking.function.number;

import org.jspecify.annotations.NullMarked;
