package dev.coppice.control.branch;

import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchLife;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.error.ControlException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Branches that delete themselves at a time: the rules, and the deletion. */
final class Expiry {
    private static final Logger log = LoggerFactory.getLogger(Expiry.class);

    /** As Neon's. */
    private static final Duration AHEAD_MAX = Duration.ofDays(30);

    private final Workshop shop;

    Expiry(Workshop shop) {
        this.shop = shop;
    }

    /** Refuses a time that is past, or too far ahead. */
    void checkTime(@Nullable Instant expiresAt) {
        Instant now = shop.now();
        if (expiresAt != null && !expiresAt.isAfter(now)) {
            throw ControlException.invalid("branch.expires_at: " + expiresAt
                    + " is not in the future; the server's clock shows " + now.truncatedTo(ChronoUnit.SECONDS));
        }
        if (expiresAt != null && expiresAt.isAfter(now.plus(AHEAD_MAX))) {
            throw ControlException.invalid("branch.expires_at: must be at most " + AHEAD_MAX.toDays() + " days ahead");
        }
    }

    /** Sets or, with null, ends the expiry of a branch. */
    Branch set(String projectId, String branchId, @Nullable Instant expiresAt) {
        checkTime(expiresAt);
        shop.family().writeLock().lock();
        try (BranchLocks.Hold _ = shop.locks().exclusive(shop.branch(projectId, branchId), "changed")) {
            Branch branch = shop.branch(projectId, branchId);
            if (expiresAt != null) {
                List<Branch> children = shop.inventory().livingChildrenOf(branchId);
                refuse(branch, branch.isDefault(), "it is the default branch");
                refuse(branch, branch.isProtected(), "it is protected");
                refuse(branch, !children.isEmpty(), "it has children (" + Deletion.names(children) + ")");
                refuse(
                        branch,
                        branch.parentId() == null && branch.life().equals(BranchLife.ORDINARY),
                        "it is a root branch");
            }
            return shop.catalog().changeBranch(projectId, branchId, current -> {
                BranchWorkflows.refuseGone(current);
                return current.living(current.life().expiringAt(expiresAt, shop.now()), shop.now());
            });
        } finally {
            shop.family().writeLock().unlock();
        }
    }

    private static void refuse(Branch branch, boolean when, String why) {
        if (when) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE, "branch \"" + branch.name() + "\" cannot expire: " + why);
        }
    }

    /** Refuses what would keep the branch from expiring. */
    static void requireLasting(Branch branch, String what) {
        Instant end = branch.life().expiresAt();
        if (end != null) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "branch \"" + branch.name() + "\" " + what + ": it expires at " + end
                            + "; take its expiry away first");
        }
    }

    /** Deletes the branches whose time has come. */
    void deleteExpired() {
        Instant now = shop.now();
        for (Branch branch : shop.inventory().branches()) {
            Instant end = branch.life().expiresAt();
            if (branch.state() == BranchState.READY && end != null && !end.isAfter(now)) {
                try {
                    new Deletion(shop, new Removal(shop))
                            .delete(branch.projectId(), branch.id(), BranchLife.BY_EXPIRY, false);
                    log.info("Branch {} ({}) has expired and is deleted", branch.name(), branch.id());
                } catch (ControlException e) {
                    log.warn("Branch {} has expired and could not be deleted yet: {}", branch.name(), e.getMessage());
                }
            }
        }
    }
}
