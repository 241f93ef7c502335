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
 * <p><b>Locks</b>, in the order in which they are taken; whoever holds one takes only those below it. All but the first and the last are
 * one for each timeline; a child's come before its parent's.
 *
 * <table>
 *   <caption>Order of locks</caption>
 *   <tr><td>{@code PageService.structure}</td><td>timelines come and go</td></tr>
 *   <tr><td>{@code Compaction.lock}</td><td>layers are merged and collected</td></tr>
 *   <tr><td>{@code Flush.lock}</td><td>the journal becomes a layer; strays are removed</td></tr>
 *   <tr><td>{@code Epochs}, its monitor</td><td>epochs begin and end, fences are written</td></tr>
 *   <tr><td>{@code WalHistory}, {@code WalTail}, {@code CommitTimes}, {@code WalArchive}, {@code WriterLock}, their monitors, each before
 *       the next</td><td>the end of WAL, and its files</td></tr>
 *   <tr><td>{@code Retention.lock}, one for all</td><td>pins come and go, horizons advance</td></tr>
 *   <tr><td>{@code BoundaryGate.loading}</td><td>a boundary is loaded, which reads the parent</td></tr>
 *   <tr><td>{@code IndexedJournal.scanLock}</td><td>the journal is read, appended to by this process, split or let go</td></tr>
 *   <tr><td>{@code TimelineHistory}, its monitor</td><td>the manifest and what of it is loaded change</td></tr>
 *   <tr><td>{@code IndexedJournal.indexLock}</td><td>the index changes (write) or is asked (read); nothing is read from disk under it</td></tr>
 * </table>
 *
 * <p>It knows nothing of computes, branches' names or users.
 */
@NullMarked
package dev.coppice.storage;

import org.jspecify.annotations.NullMarked;
