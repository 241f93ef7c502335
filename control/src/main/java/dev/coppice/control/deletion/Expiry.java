package dev.coppice.control.deletion;

import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchLife;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.operation.BranchLocks;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Branches that delete themselves at a time: the rules, and the deletion. */
public final class Expiry {
    private static final Logger log = LoggerFactory.getLogger(Expiry.class);

    /** As Neon's. */
    private static final Duration AHEAD_MAX = Duration.ofDays(30);

    private final Catalog catalog;
    private final Inventory inventory;
    private final Finder finder;
    private final BranchLocks locks;
    private final BranchDeletion deletion;
    private final Clock clock;

    public Expiry(Catalog catalog, Finder finder, BranchLocks locks, BranchDeletion deletion, Clock clock) {
        this.catalog = catalog;
        this.inventory = catalog.inventory();
        this.finder = finder;
        this.locks = locks;
        this.deletion = deletion;
        this.clock = clock;
    }

    /** Refuses a time that is past, or too far ahead. */
    public void checkTime(@Nullable Instant expiresAt) {
        Instant now = clock.instant();
        if (expiresAt != null && !expiresAt.isAfter(now)) {
            throw ControlException.invalid("branch.expires_at: " + expiresAt
                    + " is not in the future; the server's clock shows " + now.truncatedTo(ChronoUnit.SECONDS));
        }
        if (expiresAt != null && expiresAt.isAfter(now.plus(AHEAD_MAX))) {
            throw ControlException.invalid("branch.expires_at: must be at most " + AHEAD_MAX.toDays() + " days ahead");
        }
    }

    /** Sets or, with null, ends the expiry of a branch. */
    public Branch set(String projectId, String branchId, @Nullable Instant expiresAt) {
        checkTime(expiresAt);
        locks.family().writeLock().lock();
        try (BranchLocks.Hold _ = locks.exclusive(finder.branch(projectId, branchId), "changed")) {
            Branch branch = finder.branch(projectId, branchId);
            if (expiresAt != null) {
                List<Branch> children = inventory.livingChildrenOf(branchId);
                refuse(branch, branch.isDefault(), "it is the default branch");
                refuse(branch, branch.isProtected(), "it is protected");
                refuse(branch, !children.isEmpty(), "it has children (" + BranchDeletion.names(children) + ")");
                refuse(
                        branch,
                        branch.parentId() == null && branch.life().equals(BranchLife.ORDINARY),
                        "it is a root branch");
            }
            return catalog.changeBranch(projectId, branchId, current -> {
                Finder.refuseGone(current);
                return current.living(current.life().expiringAt(expiresAt, clock.instant()), clock.instant());
            });
        } finally {
            locks.family().writeLock().unlock();
        }
    }

    private static void refuse(Branch branch, boolean when, String why) {
        if (when) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE, "branch \"" + branch.name() + "\" cannot expire: " + why);
        }
    }

    /** Refuses what would keep the branch from expiring. */
    public static void requireLasting(Branch branch, String what) {
        Instant end = branch.life().expiresAt();
        if (end != null) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "branch \"" + branch.name() + "\" " + what + ": it expires at " + end
                            + "; take its expiry away first");
        }
    }

    /** Deletes the branches whose time has come. */
    public void deleteExpired() {
        Instant now = clock.instant();
        for (Branch branch : inventory.branches()) {
            Instant end = branch.life().expiresAt();
            if (branch.state() == BranchState.READY && end != null && !end.isAfter(now)) {
                try {
                    deletion.delete(branch.projectId(), branch.id(), BranchLife.BY_EXPIRY, false);
                    log.info("Branch {} ({}) has expired and is deleted", branch.name(), branch.id());
                } catch (ControlException e) {
                    log.warn("Branch {} has expired and could not be deleted yet: {}", branch.name(), e.getMessage());
                }
            }
        }
    }
}
