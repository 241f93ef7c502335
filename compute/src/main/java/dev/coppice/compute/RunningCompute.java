package dev.coppice.compute;

import dev.coppice.compute.agent.AgentServer;
import dev.coppice.storage.Timeline;

/** A compute that was started or adopted, with what belongs to its epoch. */
record RunningCompute(
        String endpointId,
        Timeline timeline,
        long epoch,
        ComputeDriver.Instance instance,
        AgentServer agent,
        RunDirectory run) {
    /** Whether the other is the same start of the same compute. */
    boolean isSameRun(RunningCompute other) {
        return epoch == other.epoch && timeline.id().equals(other.timeline.id());
    }
}
