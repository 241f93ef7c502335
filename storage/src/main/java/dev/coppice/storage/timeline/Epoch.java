package dev.coppice.storage.timeline;

import dev.coppice.common.Lsn;
import java.nio.file.Path;

/**
 * One start of one compute.
 *
 * @param number from 1, ascending
 * @param journal the epoch's journal segment, header written, for the compute to append to
 * @param startMark the mark with which the compute must begin: one byte after the end of WAL, so that nothing the epoch
 *     writes is seen at a branch point made before it
 */
public record Epoch(long number, Path journal, Lsn startMark) {}
