/**
 * What may be done with projects, branches, endpoints, roles and databases, each as one method that either did all of it or
 * nothing.
 *
 * <p>How that survives a kill at any moment: a branch made from its parent's head is a timeline, then one transaction that
 * makes it known; a kill in between leaves a timeline that no row names and no compute ever wrote, which the next start
 * removes. Longer work first records an operation that names the timeline; the next start finds it unfinished and undoes it
 * (creations and restores) or finishes it (deletions). A timeline that holds anybody's writes is never removed for want of a
 * row. A deleted branch is one in a state of its own until {@link dev.coppice.control.branch.Recovery} can bring it back no
 * longer. What belongs to no branch, and why, is in the catalog's list of hidden timelines.
 *
 * <p>Who takes locks, takes them in this order: {@link Workshop#family}, {@link BranchLocks}, {@link WakeGate}.
 */
@NullMarked
package dev.coppice.control.branch;

import org.jspecify.annotations.NullMarked;
