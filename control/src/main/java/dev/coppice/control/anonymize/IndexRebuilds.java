package dev.coppice.control.anonymize;

import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchMasking;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.id.Ids;
import dev.coppice.control.masking.CleanPoint;
import dev.coppice.control.operation.WakeGate;
import java.time.Clock;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Builds the indexes of anonymized branches from masked values, before or while the branches are used. Thread-safe. */
public final class IndexRebuilds {
    private static final Logger log = LoggerFactory.getLogger(IndexRebuilds.class);

    private final Inventory inventory;
    private final ActivityMonitor monitor;
    private final BranchMaskings maskings;
    private final MaskedTimeline maskedTimelines;
    private final Ids ids;
    private final Clock clock;

    public IndexRebuilds(
            Inventory inventory,
            ActivityMonitor monitor,
            BranchMaskings maskings,
            MaskedTimeline maskedTimelines,
            Ids ids,
            Clock clock) {
        this.inventory = inventory;
        this.monitor = monitor;
        this.maskings = maskings;
        this.maskedTimelines = maskedTimelines;
        this.ids = ids;
        this.clock = clock;
    }

    /** The compute goes to sleep like any other; one that the branch has no endpoint for goes now. */
    void leave(Branch branch, String endpointId) {
        if (inventory.endpointOfBranch(branch.id()).isPresent()) {
            monitor.watch(endpointId);
        } else {
            monitor.release(endpointId);
        }
    }

    /**
     * Rebuilds, and notes how far it is.
     *
     * @param gate closed; told what is done behind it; absent = the branch is open
     */
    void run(Branch branch, String endpointId, List<CleanPoint.Rebuild> rebuilds, WakeGate.@Nullable Closed gate) {
        maskedTimelines.rebuild(endpointId, branch.timeline(), rebuilds, (doing, done, total) -> {
            if (gate != null) {
                gate.doing(doing + " (" + (done + 1) + " of " + total + ")");
            }
            // Our own sessions do not keep a compute awake.
            monitor.touch(endpointId);
            maskings.find(branch.id())
                    .ifPresent(masking -> maskings.store(masking.anonymizing(doing, done, total, clock.instant())));
        });
        // Rules that were declared meanwhile are not applied by this.
        maskings.find(branch.id())
                .ifPresent(masking -> maskings.store(masking.anonymized(
                        Objects.requireNonNullElse(masking.appliedVersion(), masking.version()), clock.instant())));
    }

    /** Rebuilds in the background; a failure is logged and written down with the branch. */
    void start(Branch branch, List<CleanPoint.Rebuild> rebuilds) {
        Thread.ofVirtual().name("rebuild-" + branch.id()).start(() -> rebuildQuietly(branch, rebuilds));
    }

    private void rebuildQuietly(Branch branch, List<CleanPoint.Rebuild> rebuilds) {
        String endpointId = endpointOrOther(branch);
        try {
            run(branch, endpointId, rebuilds, null);
            leave(branch, endpointId);
        } catch (RuntimeException e) {
            log.warn("Indexes of the anonymized branch {} could not be built", branch.name(), e);
            maskings.find(branch.id())
                    .ifPresent(
                            masking -> maskings.store(masking.failed(String.valueOf(e.getMessage()), clock.instant())));
        }
    }

    private String endpointOrOther(Branch branch) {
        return inventory.endpointOfBranch(branch.id()).map(Endpoint::id).orElseGet(() -> ids.endpoint());
    }

    /** At start: what was being rebuilt goes on; what was being applied has to be asked for again. */
    public void resume() {
        for (BranchMasking masking : maskings.all()) {
            if (masking.state() != BranchMasking.State.ANONYMIZING) {
                continue;
            }
            Optional<Branch> branch = inventory.branch(masking.branchId());
            Integer applied = masking.appliedVersion();
            if (branch.isEmpty()) {
                continue;
            }
            if (applied == null || applied != masking.version()) {
                maskings.store(masking.failed("a restart interrupted it; anonymize the branch again", clock.instant()));
                continue;
            }
            resume(branch.get());
        }
    }

    private void resume(Branch branch) {
        Thread.ofVirtual()
                .name("rebuild-" + branch.id())
                .start(() -> rebuildQuietly(branch, maskedTimelines.rebuilds(branch.timeline())));
    }
}
