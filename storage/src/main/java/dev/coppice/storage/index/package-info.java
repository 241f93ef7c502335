/**
 * The index of one timeline's journal: which entry holds a block, whether a file exists and how large it is, as of any
 * LSN.
 *
 * <p>The order of entries is the order of the journal; what is visible at an LSN is every entry with an effective stamp at
 * or below it. The effective stamp of an entry is its raw stamp, lowered by the first fence that covers it and raised
 * beyond every fence written before it ({@link dev.coppice.storage.index.Fences}).
 *
 * <p>What must stay true: answers at an LSN equal those of a naive replay of the visible entries in order. It knows
 * nothing of parents (it says "not here") and reads no page.
 */
@NullMarked
package dev.coppice.storage.index;

import org.jspecify.annotations.NullMarked;
