package dev.coppice.control.catalog.model;

import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What an anonymized branch is declared to hide, and how far that is applied.
 *
 * @param rules JSON, as {@code control.masking.RuleSet} reads and writes it
 * @param version rises by one with every change of the rules
 * @param appliedVersion the rules that the branch shows; absent until it was first anonymized
 * @param message what is being done, for people
 * @param stepsDone of {@code stepsTotal}, while something is being done
 * @param error why the last attempt failed; absent when it did not
 */
public record BranchMasking(
        String branchId,
        String rules,
        int version,
        @Nullable Integer appliedVersion,
        State state,
        @Nullable String message,
        int stepsDone,
        int stepsTotal,
        @Nullable String error,
        Instant createdAt,
        Instant updatedAt,
        @Nullable Instant failedAt) {

    /** Neon's states of an anonymized branch. */
    public enum State {
        /** Declared; nothing was done yet. */
        CREATED,
        /** Has rules and can be anonymized. */
        INITIALIZED,
        INITIALIZATION_ERROR,
        ANONYMIZING,
        ANONYMIZED,
        ERROR;

        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        public static State of(String text) {
            return valueOf(text.toUpperCase(Locale.ROOT));
        }
    }

    /** A branch with its first rules. */
    public static BranchMasking declared(String branchId, String rules, Instant now) {
        return new BranchMasking(branchId, rules, 1, null, State.INITIALIZED, null, 0, 0, null, now, now, null);
    }

    /** The same for another branch that shows the same. */
    public BranchMasking of(String otherBranchId) {
        return new BranchMasking(
                otherBranchId,
                rules,
                version,
                appliedVersion,
                state,
                message,
                stepsDone,
                stepsTotal,
                error,
                createdAt,
                updatedAt,
                failedAt);
    }

    /** Other rules, to be applied. */
    public BranchMasking withRules(String newRules, Instant now) {
        return new BranchMasking(
                branchId,
                newRules,
                version + 1,
                appliedVersion,
                state,
                message,
                stepsDone,
                stepsTotal,
                error,
                createdAt,
                now,
                failedAt);
    }

    /** In the middle of being applied. */
    public BranchMasking anonymizing(String doing, int done, int total, Instant now) {
        return new BranchMasking(
                branchId,
                rules,
                version,
                appliedVersion,
                State.ANONYMIZING,
                doing,
                done,
                total,
                null,
                createdAt,
                now,
                failedAt);
    }

    /** Applied: the branch shows what the rules of {@code applied} leave. */
    public BranchMasking anonymized(int applied, Instant now) {
        return new BranchMasking(
                branchId, rules, version, applied, State.ANONYMIZED, null, 0, 0, null, createdAt, now, null);
    }

    /** Not applied; what the branch showed before, it shows still. */
    public BranchMasking failed(String reason, Instant now) {
        return new BranchMasking(
                branchId, rules, version, appliedVersion, State.ERROR, null, 0, 0, reason, createdAt, now, now);
    }
}
