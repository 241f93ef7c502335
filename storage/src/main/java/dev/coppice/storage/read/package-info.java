/**
 * Files, pages and WAL of a timeline as of an LSN, along the chain of its ancestors.
 *
 * <p>What must stay true: answers equal those of a replay of everything visible at the LSN; nothing is served whose checksum is wrong; a
 * chain is walked in a loop, since it can be longer than a stack is deep. It changes nothing.
 */
@NullMarked
package dev.coppice.storage.read;

import org.jspecify.annotations.NullMarked;
