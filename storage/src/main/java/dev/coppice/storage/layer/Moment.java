package dev.coppice.storage.layer;

import dev.coppice.common.Lsn;
import java.time.Instant;

/** At {@code time}, {@code lsn} was the end of the WAL; it is the end of a record. */
public record Moment(Instant time, Lsn lsn) {}
