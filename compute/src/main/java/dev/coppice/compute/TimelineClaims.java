package dev.coppice.compute;

import dev.coppice.common.TimelineId;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Who has which timeline: one at a time, from before the first file is touched until all processes are gone. Thread-safe. */
final class TimelineClaims {
    /** Claims a timeline while what an earlier compute left on it goes; no endpoint has such an id. */
    private static final String CLEANING = "(cleaning)";

    private final Map<TimelineId, TimelineClaim> held = new ConcurrentHashMap<>();

    /**
     * Takes a timeline for an endpoint's compute; waits while what an earlier one left goes.
     *
     * @throws ComputeException naming the endpoint that has it
     */
    TimelineClaim take(TimelineId timeline, String endpointId) throws InterruptedException {
        return take(new TimelineClaim(this, timeline, endpointId), ", so endpoint " + endpointId + " cannot");
    }

    /**
     * Takes a timeline to throw away what no compute uses; waits while another does that.
     *
     * @throws ComputeException naming the endpoint that has it
     */
    TimelineClaim takeToClean(TimelineId timeline) throws InterruptedException {
        return take(new TimelineClaim(this, timeline, CLEANING), "");
    }

    private TimelineClaim take(TimelineClaim claim, String consequence) throws InterruptedException {
        while (true) {
            @Nullable TimelineClaim other = held.putIfAbsent(claim.timeline(), claim);
            if (other == null) {
                return claim;
            }
            if (!other.claimant().equals(CLEANING)) {
                throw new ComputeException("endpoint " + other.claimant() + " runs on timeline "
                        + claim.timeline().value() + consequence);
            }
            other.awaitClosed();
        }
    }

    /** Whether an endpoint has the timeline, or somebody its local files. */
    boolean isTaken(TimelineId timeline) {
        return held.containsKey(timeline);
    }

    void release(TimelineClaim claim) {
        held.remove(claim.timeline(), claim);
    }
}
