/**
 * Postgres processes: where their binaries come from, who runs them, how one is started on a timeline, stopped, and
 * cleaned up after. A compute is cattle: everything that must survive is in the timeline's journal and WAL, and the local
 * files of a compute are a cache that is kept only after a clean stop in the same boot of the machine.
 *
 * <p>What must stay true: one compute per timeline (the lock and the epoch are the storage's; this package never works
 * around them), a compute never depends on this process staying alive, and nothing of one epoch's local files is used in
 * the next unless the epoch before ended cleanly.
 *
 * <p>It must not know about projects, branches, roles or clients: those are {@code control}'s and {@code proxy}'s.
 */
@NullMarked
package dev.coppice.compute;

import org.jspecify.annotations.NullMarked;
