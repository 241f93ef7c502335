/**
 * What an anonymized branch may see of its parent: the rules that it was declared with, the catalog of the parent at the clean point,
 * and the boundary that every read from the branch into its parent passes.
 *
 * <p>What must stay true: what the plan of a timeline does not know is not there for it; a page that cannot be masked is an error; a plan
 * never changes once its timeline exists, and survives restarts with it.
 *
 * <p>This package knows storage and masking, and a compute by its SQL; nothing of branches, operations or the API.
 */
@NullMarked
package dev.coppice.control.masking;

import org.jspecify.annotations.NullMarked;
