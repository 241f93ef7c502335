/**
 * How a timeline is written and branched: its epochs, what a compute is given for one, and its branch points.
 *
 * <p>What must stay true: one epoch is open at a time, and only while no process holds the writer lock does another begin; a branch point is
 * the end of a WAL record, and everything acknowledged before it is in it.
 */
@NullMarked
package dev.coppice.storage.timeline;

import org.jspecify.annotations.NullMarked;
