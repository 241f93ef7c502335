/** Functions on dates and times, and how both are written. */
@NullMarked
package dev.coppice.masking.function.time;

import org.jspecify.annotations.NullMarked;
