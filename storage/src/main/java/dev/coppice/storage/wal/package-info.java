/**
 * Write-ahead log as the page service needs it: where the bytes of a position are, where records begin and end, when
 * transactions committed, and what {@code pg_wal} of a new branch holds.
 *
 * <p>Formats: src/include/access/xlog_internal.h, xlogrecord.h and xact.h of Postgres 14 to 18; reading follows
 * src/backend/access/transam/xlogreader.c.
 *
 * <p>What must stay true: a record counts only when its pages, its back link and its checksum are right; bytes below a
 * timeline's ancestor LSN come from its parent, whatever its own files hold there. It knows nothing of the journal.
 */
@NullMarked
package dev.coppice.storage.wal;

import org.jspecify.annotations.NullMarked;
