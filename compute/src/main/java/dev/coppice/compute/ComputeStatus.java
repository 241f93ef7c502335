package dev.coppice.compute;

import dev.coppice.common.TimelineId;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What is known about an endpoint's compute at one moment.
 *
 * @param since when it came into this state
 * @param pid of the postmaster, while there is one
 * @param failure why it failed last, in words for the operator; empty after a successful start
 */
public record ComputeStatus(
        String endpointId,
        TimelineId timeline,
        ComputeState state,
        Instant since,
        OptionalLong pid,
        Optional<String> failure) {}
