package dev.coppice.storage.layout;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;

/**
 * A place in history at which a branch can begin.
 *
 * @param timeline the timeline whose image it is
 * @param lsn the end of a complete WAL record of that timeline (or of one of its ancestors)
 */
public record BranchPoint(TimelineId timeline, Lsn lsn) {}
