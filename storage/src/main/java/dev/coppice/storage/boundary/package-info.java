/**
 * Boundaries: what hides a parent's originals from a timeline, and the documents that they are made of.
 *
 * <p>What must stay true: unless the document is the one that the timeline was made with, nothing of the parent is shown. It knows
 * nothing of what a document says.
 */
@NullMarked
package dev.coppice.storage.boundary;

import org.jspecify.annotations.NullMarked;
