/**
 * How work on branches is written down and kept apart: operations, locks, and the gate where wakes wait.
 *
 * <p>How work survives a kill at any moment: a branch made from its parent's head is a timeline, then one transaction that
 * makes it known; a kill in between leaves a timeline that no row names and no compute ever wrote, which the next start
 * removes. Longer work first records an operation that names the timeline; the next start finds it unfinished and undoes it
 * (creations and restores) or finishes it (deletions). A timeline that holds anybody's writes is never removed for want of a
 * row. What belongs to no branch, and why, is in the catalog's list of hidden timelines.
 *
 * <p>Who takes locks, takes them in this order: {@link dev.coppice.control.operation.BranchLocks#family}, {@link
 * dev.coppice.control.operation.BranchLocks}, {@link dev.coppice.control.operation.WakeGate}.
 */
@NullMarked
package dev.coppice.control.operation;

import org.jspecify.annotations.NullMarked;
