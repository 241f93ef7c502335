/**
 * The bytes of a layer: frames, parts, checksums and the order of paths ({@link dev.coppice.storage.layer.format.LayerFormat}).
 *
 * <p>What must stay true: every byte is under a checksum. It knows nothing of files.
 */
@NullMarked
package dev.coppice.storage.layer.format;

import org.jspecify.annotations.NullMarked;
