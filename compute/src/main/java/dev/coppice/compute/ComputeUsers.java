package dev.coppice.compute;

import dev.coppice.storage.Timeline;

/**
 * Whom computes run as. Those of timelines that read through a boundary have a user of their own: a superuser of such a branch can
 * start programs, and these must not be able to open the files of the parent, its WAL above all.
 *
 * @param ordinary for timelines that may see everything below them
 * @param secluded for the others; the same as the ordinary one where there is only one
 */
record ComputeUsers(ComputeUser ordinary, ComputeUser secluded) {
    ComputeUser of(Timeline timeline) {
        return timeline.seesThroughBoundary() ? secluded : ordinary;
    }
}
