/**
 * Where the files of a timeline lie on the disk, and the small ones that say what it is and which data directory it belongs to.
 *
 * <p>What must stay true: metadata is durable when a call returns.
 */
@NullMarked
package dev.coppice.storage.layout;

import org.jspecify.annotations.NullMarked;
