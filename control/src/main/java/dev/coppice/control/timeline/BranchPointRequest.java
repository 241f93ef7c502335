package dev.coppice.control.timeline;

import dev.coppice.common.Lsn;
import java.time.Instant;

/** Where a branch is to leave its parent. */
public sealed interface BranchPointRequest {
    /** Now: everything that was acknowledged before the request is in the branch. */
    record Head() implements BranchPointRequest {}

    /** The last complete record at or before this position. */
    record AtLsn(Lsn lsn) implements BranchPointRequest {}

    /** After the last commit at or before this time. */
    record AtTime(Instant time) implements BranchPointRequest {}
}
