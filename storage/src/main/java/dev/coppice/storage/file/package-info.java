/**
 * The words in which files of a timeline are spoken of: what is at a path, how it is read and delivered, and to which class a path
 * belongs.
 *
 * <p>It knows nothing of how they are stored.
 */
@NullMarked
package dev.coppice.storage.file;

import org.jspecify.annotations.NullMarked;
