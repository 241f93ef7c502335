package dev.coppice.storage.verify;

import java.util.ArrayList;
import java.util.List;

/**
 * What a check found.
 *
 * @param timelines checked
 * @param journalEntries whole entries
 * @param journalBytes read
 * @param tornBytes of entries that killed processes left half-written: never acknowledged, so not a finding
 * @param layers read
 * @param layerBytes of them
 * @param walRecords valid ones in the WAL that somebody can ask for
 * @param walBytes of that WAL
 */
public record Verification(
        List<Finding> findings,
        long timelines,
        long journalEntries,
        long journalBytes,
        long tornBytes,
        long layers,
        long layerBytes,
        long walRecords,
        long walBytes) {
    /** Nothing checked, nothing found. */
    public static final Verification NOTHING = new Verification(List.of(), 0, 0, 0, 0, 0, 0, 0, 0);

    /** Copies the list. */
    public Verification {
        findings = List.copyOf(findings);
    }

    /** Whether all is well. */
    public boolean isClean() {
        return findings.isEmpty();
    }

    /** Both together. */
    public Verification plus(Verification other) {
        List<Finding> all = new ArrayList<>(findings);
        all.addAll(other.findings);
        return new Verification(
                all,
                timelines + other.timelines,
                journalEntries + other.journalEntries,
                journalBytes + other.journalBytes,
                tornBytes + other.tornBytes,
                layers + other.layers,
                layerBytes + other.layerBytes,
                walRecords + other.walRecords,
                walBytes + other.walBytes);
    }
}
