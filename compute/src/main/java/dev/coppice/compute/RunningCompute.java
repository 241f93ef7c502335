package dev.coppice.compute;

import dev.coppice.compute.agent.AgentServer;
import dev.coppice.storage.Timeline;

/**
 * A compute that was started or adopted, with what belongs to its epoch.
 *
 * @param claim its own; closed when all of it is gone
 * @param logStart how long its log was then, in bytes
 */
record RunningCompute(
        String endpointId,
        TimelineClaim claim,
        Timeline timeline,
        long epoch,
        ComputeDriver.Instance instance,
        AgentServer agent,
        RunDirectory run,
        ServerLog log,
        ComputeAddress address,
        long logStart) {
    /** Whether the other is the same start of the same compute. */
    boolean isSameRun(RunningCompute other) {
        return epoch == other.epoch && timeline.id().equals(other.timeline.id());
    }
}
