/**
 * Journals the files of a stopped cluster, or of another timeline at rest, as the first epoch of an empty root.
 *
 * <p>What must stay true: only what was shut down cleanly is taken, and nothing but what was asked for.
 */
@NullMarked
package dev.coppice.storage.importing;

import org.jspecify.annotations.NullMarked;
