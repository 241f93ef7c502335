/** What a mask of a value is, whatever the value's type: of fixed or of variable length, constant, of an array's elements. */
@NullMarked
package dev.coppice.masking.function.value;

import org.jspecify.annotations.NullMarked;
