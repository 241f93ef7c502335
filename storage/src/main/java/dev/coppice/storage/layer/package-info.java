/**
 * Layers: immutable sorted files of page versions and file events, how they are written and read, and the merge that makes few
 * layers of many. Where they are kept and which manifest lists them is in {@code store}.
 *
 * <p>A layer holds what one timeline wrote between two flushes, or what is still needed of several such layers. Within it
 * paths are in the order of their UTF-8 bytes, the events of a path in the order of their sequence, its block versions by
 * block and sequence ({@link dev.coppice.storage.layer.format.LayerFormat} has the bytes). A sequence is an entry's place in the
 * timeline's journal: {@code epoch << 44 | byte}, compared unsigned.
 *
 * <p>What must stay true: a layer answers exactly as a {@link dev.coppice.storage.index.TimelineIndex} of the same entries
 * would; a merge changes no answer at a retained point; nothing is served whose checksum is wrong, whichever bit flipped;
 * memory is bounded by the caches' limits and by the size of one path's events.
 *
 * <p>It knows nothing of journals, parents, computes, or of when to flush, compact or collect.
 */
@NullMarked
package dev.coppice.storage.layer;

import org.jspecify.annotations.NullMarked;
