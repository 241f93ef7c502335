/**
 * What one timeline keeps: its manifest, its layers and the tail of its journal, and how it goes from one state to the next; and what all
 * timelines of a page service share.
 *
 * <p>What must stay true: an entry is in the tail or in a layer, for every reader, at any moment; nothing that a retained point sees is let go.
 */
@NullMarked
package dev.coppice.storage.history;

import org.jspecify.annotations.NullMarked;
