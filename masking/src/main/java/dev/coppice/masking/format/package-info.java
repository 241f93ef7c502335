/**
 * On-disk formats of Postgres 14 to 18, little-endian, 8 kB blocks: varlena headers, pglz and LZ4, numeric, arrays, jsonb, page
 * checksums.
 *
 * <p>What must stay true: decoding hostile bytes ends in {@link dev.coppice.masking.format.MalformedValueException}, with
 * memory bounded by the input; encoding what was decoded gives back bytes that Postgres reads as the same value.
 *
 * <p>This package knows nothing of masking.
 */
@NullMarked
package dev.coppice.masking.format;

import org.jspecify.annotations.NullMarked;
