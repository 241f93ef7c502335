/**
 * Files as the page service needs them: many open at once for positional reads, replaced atomically, synced with their
 * directories.
 *
 * <p>What must stay true: a read is never cut short by another thread's interrupt or by eviction of a descriptor; a
 * replaced file is whole after a power cut. It knows nothing of what the bytes mean.
 */
@NullMarked
package dev.coppice.storage.io;

import org.jspecify.annotations.NullMarked;
