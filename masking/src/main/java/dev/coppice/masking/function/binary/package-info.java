/** Functions on bytea, and on the types that are stored as plain bytes: uuid, hardware and network addresses, bit strings. */
@NullMarked
package dev.coppice.masking.function.binary;

import org.jspecify.annotations.NullMarked;
