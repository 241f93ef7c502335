/** Puts a point of the past, or of another branch, in the place of what a branch contains. */
@NullMarked
package dev.coppice.control.restore;

import org.jspecify.annotations.NullMarked;
