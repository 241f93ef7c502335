package dev.coppice.control.ephemeral;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeAddress;
import dev.coppice.compute.ComputeListener;
import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeSettings;
import dev.coppice.compute.ComputeSpec;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.HiddenTimeline;
import dev.coppice.control.endpoint.ComputeSizes;
import dev.coppice.control.endpoint.Computes;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.Ids;
import dev.coppice.control.timeline.BranchPointRequest;
import dev.coppice.control.timeline.HiddenTimelines;
import dev.coppice.control.timeline.PointResolver;
import dev.coppice.storage.PageService;
import dev.coppice.storage.history.Lease;
import dev.coppice.storage.layout.BranchPoint;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Read-only computes of past moments of branches: made when somebody connects to a moment, shared by all who connect to the
 * same one, gone a little after the last query. Each has a timeline of its own, which no branch has, in the catalog's list of
 * hidden ones. Thread-safe.
 *
 * <p>"Read-only" is a default that a session can change; what it then writes goes with the compute.
 */
public final class TimeTravel implements ComputeListener {
    private static final Logger log = LoggerFactory.getLogger(TimeTravel.class);

    /** A moment may come to its end while somebody arrives; the next one is a new one. */
    private static final int ARRIVALS_MAX = 3;

    private final Inventory inventory;
    private final PageService pages;
    private final ComputeService computes;
    private final ComputeSettings settings;
    private final ActivityMonitor monitor;
    private final HiddenTimelines hidden;
    private final PointResolver resolver;
    private final Ids ids;
    private final Clock clock;
    private final Limits limits;

    private final ReentrantLock lock = new ReentrantLock();
    // Guarded by lock.
    private final Map<Key, PastMoment> moments = new HashMap<>();

    /**
     * How long and how many.
     *
     * @param idleSeconds without a query until a moment's compute goes
     * @param perProject computes of moments at once
     */
    public record Limits(int idleSeconds, int perProject) {}

    private record Key(String branchId, BranchPoint point) {}

    /** @param settings of computes; those of moments are read-only by default */
    public TimeTravel(
            Inventory inventory,
            PageService pages,
            ComputeService computes,
            ComputeSettings settings,
            ActivityMonitor monitor,
            HiddenTimelines hidden,
            PointResolver resolver,
            Ids ids,
            Clock clock,
            Limits limits) {
        this.inventory = inventory;
        this.pages = pages;
        this.computes = computes;
        this.settings = readOnly(settings);
        this.monitor = monitor;
        this.hidden = hidden;
        this.resolver = resolver;
        this.ids = ids;
        this.clock = clock;
        this.limits = limits;
    }

    /** The libraries that the branch's data may need are there, too. */
    private ComputeSettings ofMoment(Branch branch) {
        return new ComputeSizes(inventory, settings).carried(branch);
    }

    private static ComputeSettings readOnly(ComputeSettings settings) {
        Map<String, String> postgres = new HashMap<>(settings.postgres());
        postgres.put("default_transaction_read_only", "on");
        // Nothing is written that would have to be cleaned up, and it would look like somebody's work.
        postgres.put("autovacuum", "off");
        return new ComputeSettings(settings.computeUnits(), postgres);
    }

    /**
     * Makes sure that a compute of the branch's moment runs, with the passwords that the branch's roles have now. Blocks; call
     * it from a virtual thread.
     *
     * @throws ControlException UNPROCESSABLE for a moment outside the branch's history, TOO_MANY above the project's limit,
     *     UNAVAILABLE when the compute does not start
     */
    public ComputeAddress wake(Branch branch, BranchPointRequest request) {
        try (Lease lease = resolver.resolve(branch, request)) {
            for (int i = 0; i < ARRIVALS_MAX; i++) {
                PastMoment moment = moment(branch, lease.point());
                Optional<ComputeAddress> address = moment.visit(inventory.roles(branch.id()));
                if (address.isPresent()) {
                    return address.get();
                }
            }
        }
        throw new ControlException(
                ControlException.Kind.UNAVAILABLE, "the compute of this moment was just stopped; try again");
    }

    private PastMoment moment(Branch branch, BranchPoint point) {
        Key key = new Key(branch.id(), point);
        PastMoment fresh;
        lock.lock();
        try {
            PastMoment known = moments.get(key);
            if (known != null) {
                return known;
            }
            long inProject = moments.values().stream()
                    .filter(moment -> moment.row().projectId().equals(branch.projectId()))
                    .count();
            if (inProject >= limits.perProject()) {
                throw new ControlException(
                        ControlException.Kind.TOO_MANY,
                        "the project has " + inProject + " computes of past moments already; one goes "
                                + limits.idleSeconds() + " s after its last query");
            }
            fresh = new PastMoment(
                    new HiddenTimeline(
                            ids.branch(),
                            branch.projectId(),
                            HiddenTimeline.Kind.MOMENT,
                            ids.endpoint(),
                            clock.instant().truncatedTo(ChronoUnit.MICROS)),
                    new Computes(computes, _ -> ofMoment(branch), ComputeSpec.Mode.READ_WRITE));
            moments.put(key, fresh);
        } finally {
            lock.unlock();
        }
        make(key, fresh);
        return fresh;
    }

    private void make(Key key, PastMoment fresh) {
        try {
            hidden.keep(fresh.row());
            pages.createBranch(new TimelineId(fresh.row().timelineId()), key.point());
            fresh.made(() -> monitor.watchApart(
                    fresh.endpointId(),
                    limits.idleSeconds(),
                    () -> Thread.ofVirtual().name("leave-" + fresh.endpointId()).start(() -> end(fresh, false))));
            log.info("A compute of branch {} as of {} is wanted: {}", key.branchId(), key.point(), fresh.endpointId());
        } catch (RuntimeException e) {
            fresh.failed(e);
            end(fresh, true);
            throw e;
        }
    }

    /** Ends the computes of all moments of a branch, whoever looks at them. */
    public void end(String branchId) {
        List<PastMoment> ending;
        lock.lock();
        try {
            ending = moments.entrySet().stream()
                    .filter(entry -> entry.getKey().branchId().equals(branchId))
                    .map(Map.Entry::getValue)
                    .toList();
        } finally {
            lock.unlock();
        }
        ending.forEach(moment -> end(moment, true));
    }

    /** Ends the computes of all moments. */
    public void endAll() {
        List<PastMoment> ending;
        lock.lock();
        try {
            ending = List.copyOf(moments.values());
        } finally {
            lock.unlock();
        }
        ending.forEach(moment -> end(moment, true));
    }

    /** @param now also when somebody is arriving just now */
    private void end(PastMoment moment, boolean now) {
        if (!moment.end(now)) {
            return;
        }
        lock.lock();
        try {
            moments.values().remove(moment);
        } finally {
            lock.unlock();
        }
        log.info("Removing the compute of a past moment, {}", moment.endpointId());
        hidden.letGo(moment.row());
    }

    @Override
    public void woken(String endpointId) {}

    @Override
    public void suspended(String endpointId) {}

    @Override
    public void crashed(String endpointId, String reason) {
        Optional<PastMoment> dead;
        lock.lock();
        try {
            dead = moments.values().stream()
                    .filter(moment -> moment.endpointId().equals(endpointId))
                    .findFirst();
        } finally {
            lock.unlock();
        }
        // Called while the compute service is at work on the endpoint.
        dead.ifPresent(moment -> Thread.ofVirtual().name("bury-" + endpointId).start(() -> end(moment, true)));
    }
}
