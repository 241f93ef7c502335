package dev.coppice.storage.verify;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.StorageException;
import java.util.ArrayList;
import java.util.List;

/** Collects findings of one timeline, and turns what a step throws into one. */
final class Findings {
    static final String RESTORE = "restore the branch to a point before the damage, or from a copy of this file;"
            + " look for errors of the disk";

    private final TimelineId timeline;
    private final List<Finding> list = new ArrayList<>();

    Findings(TimelineId timeline) {
        this.timeline = timeline;
    }

    List<Finding> list() {
        return list;
    }

    void error(String file, String what) {
        list.add(new Finding(Finding.Severity.ERROR, timeline, file, what, RESTORE));
    }

    void warning(String file, String what, String advice) {
        list.add(new Finding(Finding.Severity.WARNING, timeline, file, what, advice));
    }

    /** Runs a step; what it cannot read is a finding, and the other steps go on. */
    void guard(String file, Runnable step) {
        try {
            step.run();
        } catch (StorageException | IllegalArgumentException e) {
            error(file, String.valueOf(e.getMessage()));
        }
    }
}
