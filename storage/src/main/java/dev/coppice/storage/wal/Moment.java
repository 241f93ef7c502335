package dev.coppice.storage.wal;

import dev.coppice.common.Lsn;
import java.time.Instant;

/**
 * A time and where the WAL ended then: every commit record that ends at or below the LSN has a time at or before it.
 *
 * @param time read from the clock after {@code lsn} was known to be the end of WAL
 * @param lsn the end of a record
 */
public record Moment(Instant time, Lsn lsn) {}
