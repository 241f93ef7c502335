package dev.coppice.control.catalog.model;

import java.util.Locale;

/** What may be done with a branch. */
public enum BranchState {
    /** Being made; nobody can connect. */
    INIT,
    /** Can be connected to. */
    READY,
    /** Deleted, and can be recovered for a while. Shown only to who asks for deleted ones. */
    DELETED,
    /** Being deleted for good; the deletion is finished even over a restart. Never shown. */
    DELETING;

    /** Whether nobody can see or use the branch. */
    public boolean isGone() {
        return this == DELETED || this == DELETING;
    }

    /** As stored and as in the API. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static BranchState of(String text) {
        return valueOf(text.toUpperCase(Locale.ROOT));
    }
}
