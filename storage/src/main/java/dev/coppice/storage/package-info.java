/**
 * The page service: timelines, and every page of every file in them as of any WAL position.
 *
 * <p>A timeline is a directory with a journal (all file changes of its computes, in order, each with the WAL position
 * that its content may depend on) and its write-ahead log. The journal is the source of truth; the index in memory is
 * rebuilt from it. What a timeline does not have it inherits from its parent as of its ancestor LSN.
 *
 * <p>What must stay true: an image at an LSN is exactly what a crash at that LSN would have left (see {@code
 * docs/page-protocol.md} and the laws of the storage in the design); nothing is served whose checksum is wrong; metadata
 * is durable when a call returns.
 *
 * <p>This package is the door: {@link dev.coppice.storage.PageService} and {@link dev.coppice.storage.Timeline}, which put the packages
 * below together. Those depend on each other downwards only, in this order: {@code fault}, {@code file}, {@code io}, {@code journal},
 * {@code layout}, {@code wal}, {@code boundary}, {@code importing}, {@code index}, {@code layer} with {@code format} and {@code store},
 * {@code history}, {@code verify}, {@code read}, {@code timeline}, {@code upkeep}.
 *
 * <p>It knows nothing of computes, branches' names or users.
 */
@NullMarked
package dev.coppice.storage;

import org.jspecify.annotations.NullMarked;
