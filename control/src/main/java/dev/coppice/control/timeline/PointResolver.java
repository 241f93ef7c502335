package dev.coppice.control.timeline;

import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.error.ControlException;
import dev.coppice.storage.PageService;
import dev.coppice.storage.Timeline;
import dev.coppice.storage.fault.OutsideHistoryException;
import dev.coppice.storage.history.Lease;
import dev.coppice.storage.layout.BranchPoint;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds the point of a branch's history that a request means, and keeps it from being collected while it is used. */
public final class PointResolver {
    private static final Logger log = LoggerFactory.getLogger(PointResolver.class);
    private static final long FRESH_ROLES_MAX_MILLIS = 500;

    /** How far a client's clock may be ahead of ours. */
    private static final Duration CLOCK_TOLERANCE = Duration.ofMinutes(1);

    private final PageService pages;
    private final Inventory inventory;
    private final ActivityMonitor monitor;
    private final Clock clock;

    public PointResolver(PageService pages, Inventory inventory, ActivityMonitor monitor, Clock clock) {
        this.pages = pages;
        this.inventory = inventory;
        this.monitor = monitor;
        this.clock = clock;
    }

    /**
     * The point, leased until the answer is closed.
     *
     * @throws ControlException UNPROCESSABLE when it is not in the branch's history, saying from when that reaches
     */
    public Lease resolve(Branch branch, BranchPointRequest request) {
        Timeline timeline = pages.timeline(branch.timeline());
        try {
            BranchPoint point = switch (request) {
                case BranchPointRequest.Head() -> {
                    freshenRoles(branch);
                    yield timeline.head();
                }
                case BranchPointRequest.AtLsn(var lsn) -> timeline.at(lsn);
                case BranchPointRequest.AtTime(var time) -> {
                    requirePast(time);
                    yield timeline.at(time);
                }
            };
            return pages.lease(point);
        } catch (OutsideHistoryException e) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE, "branch \"" + branch.name() + "\": " + e.getMessage(), e);
        }
    }

    /** The end of history, silently, is not what somebody wants who mistook a zone or a year. */
    private void requirePast(Instant time) {
        Instant now = clock.instant();
        if (time.isAfter(now.plus(CLOCK_TOLERANCE))) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    time + " is in the future; the server's clock shows " + now.truncatedTo(ChronoUnit.SECONDS));
        }
    }

    /** A role made by SQL a moment ago must be able to log in to what is made next; only a running branch can have one. */
    public void freshenRoles(Branch branch) {
        inventory
                .endpointOfBranch(branch.id())
                .flatMap(endpoint -> monitor.freshRoles(endpoint.id(), true))
                .ifPresent(roles -> {
                    try {
                        roles.get(FRESH_ROLES_MAX_MILLIS, TimeUnit.MILLISECONDS);
                    } catch (ExecutionException | TimeoutException e) {
                        log.debug("Going on with the roles of {} last seen", branch.id(), e);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
    }
}
