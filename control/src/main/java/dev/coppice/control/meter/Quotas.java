package dev.coppice.control.meter;

import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Consumption.Used;
import dev.coppice.control.catalog.model.ProjectSettings.Quota;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Compares what a project has used this month with what it may use. Answers from memory. */
public final class Quotas {
    private static final long MILLIS = 1000;

    private final Inventory inventory;
    private final ConsumptionMeter meter;

    public Quotas(Inventory inventory, ConsumptionMeter meter) {
        this.inventory = inventory;
        this.meter = meter;
    }

    /** What the project has used up, as a sentence; empty when its computes may run. */
    public Optional<String> exceeded(String projectId) {
        Quota quota = inventory
                .project(projectId)
                .map(project -> project.settings().quota())
                .orElse(Quota.NONE);
        if (quota.equals(Quota.NONE)) {
            return Optional.empty();
        }
        Used used = meter.ofProject(projectId);
        return over("active time", used.activeMillis() / MILLIS, quota.activeSeconds(), "s")
                .or(() -> over("compute time", used.computeMillis() / MILLIS, quota.computeSeconds(), "s"))
                .or(() -> over("written data", used.writtenBytes(), quota.writtenBytes(), "bytes"));
    }

    private static Optional<String> over(String what, long used, @Nullable Long quota, String unit) {
        return quota == null || used < quota
                ? Optional.empty()
                : Optional.of("the project has used up its quota of " + what + " for this month (" + quota + " " + unit
                        + ")");
    }
}
