package dev.coppice.control.ephemeral;

import dev.coppice.compute.ComputeAddress;
import dev.coppice.compute.ComputeListener;
import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeSettings;
import dev.coppice.compute.ComputeSpec;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.HiddenTimeline;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.model.RoleMasking;
import dev.coppice.control.endpoint.Computes;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.Ids;
import dev.coppice.control.secret.ScramVerifier;
import dev.coppice.control.timeline.HiddenTimelines;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The masked views of branches: made when a masked role logs in and none is young enough, shared by the roles of a branch that have the same rules and
 * lag, gone when they are too old. Each is a hidden timeline with a compute that cannot write. In memory: after a restart they are made
 * again, and what was left is swept away. Thread-safe.
 */
public final class MaskedViews implements ComputeListener {
    private static final Logger log = LoggerFactory.getLogger(MaskedViews.class);

    /** A view may come to its end while somebody arrives; the next one is a new one. */
    private static final int ARRIVALS_MAX = 3;

    /** Of a kind: the newest, and the one before it for those who came in then. */
    private static final int KEPT = 2;

    private final Inventory inventory;
    private final ComputeService computes;
    private final ComputeSettings settings;
    private final ActivityMonitor monitor;
    private final HiddenTimelines hidden;
    private final Ids ids;
    private final Clock clock;

    // Guarded by this.
    private final List<MaskedView> views = new ArrayList<>();
    private long numbers;

    /** @param settings of computes, the same for those that make a view and those that show it */
    public MaskedViews(
            Inventory inventory,
            ComputeService computes,
            ComputeSettings settings,
            ActivityMonitor monitor,
            HiddenTimelines hidden,
            Ids ids,
            Clock clock) {
        this.inventory = inventory;
        this.computes = computes;
        this.settings = settings;
        this.monitor = monitor;
        this.hidden = hidden;
        this.ids = ids;
        this.clock = clock;
    }

    /** Views of a kind. Another timeline is another content, after a restore. */
    public record Key(
            String branchId, String timelineId, @Nullable String ruleSet, int maxLagSeconds) {
        static Key of(Branch branch, RoleMasking masking) {
            return new Key(branch.id(), branch.timelineId(), masking.ruleSet(), masking.maxLagSeconds());
        }
    }

    /** Makes a view; blocks. */
    @FunctionalInterface
    public interface Maker {
        MaskedView.Opened make(MaskedView view);
    }

    /**
     * Makes sure that a view runs which the role can log in to.
     *
     * @throws ControlException why none can be made
     */
    public ComputeAddress wake(Branch branch, RoleMasking masking, Maker maker) {
        for (int i = 0; i < ARRIVALS_MAX; i++) {
            MaskedView fresh;
            MaskedView view;
            synchronized (this) {
                Optional<MaskedView> known = current(branch, masking);
                fresh = known.isPresent() ? null : created(branch, masking);
                view = fresh == null ? known.orElseThrow() : fresh;
            }
            if (fresh != null) {
                make(fresh, maker);
            }
            Optional<ComputeAddress> address = view.visit(() -> watch(view));
            if (address.isPresent()) {
                return address.get();
            }
        }
        throw new ControlException(ControlException.Kind.UNAVAILABLE, "the masked view was just stopped; try again");
    }

    /** The view that a login of the role would come to now; empty when a new one would be made. */
    public synchronized Optional<MaskedView> current(Branch branch, RoleMasking masking) {
        Key key = Key.of(branch, masking);
        LoginRole login = inventory.roles(branch.id()).get(masking.roleName());
        String verifier = login == null ? null : login.verifier();
        Instant now = clock.instant();
        return views.stream()
                .filter(view -> view.key().equals(key) && view.takes(masking.roleName(), verifier, now))
                .max(Comparator.comparingLong(MaskedView::number));
    }

    /**
     * A text that is another one when a login of the role comes to another view: who shares connections must not share those
     * to different views.
     */
    public String mark(Branch branch, RoleMasking masking) {
        synchronized (this) {
            return current(branch, masking)
                    .map(view -> Long.toString(view.number()))
                    .orElseGet(() -> numbers + "+");
        }
    }

    private MaskedView created(Branch branch, RoleMasking masking) {
        Key key = Key.of(branch, masking);
        Map<String, String> verifiers = new HashMap<>();
        Map<String, LoginRole> roles = inventory.roles(branch.id());
        inventory.roleMaskings(branch.id()).forEach((name, each) -> {
            LoginRole role = roles.get(name);
            String verifier = role == null ? null : role.verifier();
            if (Key.of(branch, each).equals(key) && verifier != null && ScramVerifier.isScram(verifier)) {
                verifiers.put(name, verifier);
            }
        });
        numbers++;
        MaskedView view = new MaskedView(
                key,
                numbers,
                new HiddenTimeline(
                        ids.branch(),
                        branch.projectId(),
                        HiddenTimeline.Kind.MASKED_VIEW,
                        ids.endpoint(),
                        clock.instant().truncatedTo(ChronoUnit.MICROS)),
                verifiers,
                new Computes(computes, _ -> settings, ComputeSpec.Mode.READ_ONLY));
        views.add(view);
        return view;
    }

    private void make(MaskedView view, Maker maker) {
        try {
            hidden.keep(view.row());
            view.opened(maker.make(view));
        } catch (RuntimeException | Error e) {
            view.failed(e);
            end(view);
            throw e;
        } finally {
            if (view.isEnded()) {
                // It failed, or was not wanted any more while it was made.
                hidden.letGo(view.row());
            }
        }
        log.info("A masked view of branch {} is open: {}", view.key().branchId(), view.endpointId());
        older(view).forEach(this::end);
    }

    private synchronized List<MaskedView> older(MaskedView than) {
        return views.stream()
                .filter(view -> view.key().equals(than.key()) && view.isMade())
                .sorted(Comparator.comparingLong(MaskedView::number).reversed())
                .skip(KEPT)
                .toList();
    }

    private void watch(MaskedView view) {
        int idleSeconds = inventory
                .endpointOfBranch(view.key().branchId())
                .map(endpoint -> monitor.suspendTimeoutSeconds(endpoint.id()))
                .orElse(0);
        monitor.watchApart(
                view.endpointId(),
                idleSeconds,
                () -> Thread.ofVirtual().name("rest-" + view.endpointId()).start(() -> rest(view)));
    }

    /** Nobody has asked it anything for a while: an old view goes, a young one may be asked again. */
    private void rest(MaskedView view) {
        if (view.isAwaited()) {
            return;
        }
        if (!view.isFresh(clock.instant())) {
            end(view);
            return;
        }
        try {
            monitor.suspend(view.endpointId());
        } catch (RuntimeException e) {
            log.warn("The masked view {} could not be suspended; it will be tried again", view.endpointId(), e);
        }
    }

    /** Ends the views that are over by the clock. */
    public void expire() {
        Instant now = clock.instant();
        some(view -> view.isOver(now))
                .forEach(view ->
                        Thread.ofVirtual().name("end-" + view.endpointId()).start(() -> end(view)));
    }

    /** Ends the views of a branch, whoever looks at them. */
    public void end(String branchId) {
        some(view -> view.key().branchId().equals(branchId)).forEach(this::end);
    }

    /** Ends the views that were made by a project's set of rules. */
    public void endMadeBy(String projectId, String ruleSet) {
        some(view -> view.row().projectId().equals(projectId)
                        && ruleSet.equals(view.key().ruleSet()))
                .forEach(this::end);
    }

    /** Ends all views. */
    public void endAll() {
        some(_ -> true).forEach(this::end);
    }

    private synchronized List<MaskedView> some(Predicate<MaskedView> which) {
        return views.stream().filter(which).toList();
    }

    private void end(MaskedView view) {
        synchronized (this) {
            views.remove(view);
        }
        // Who makes it clears up after himself.
        if (view.end() && view.opened().isPresent()) {
            log.info("Removing the masked view {}", view.endpointId());
            hidden.letGo(view.row());
        }
    }

    @Override
    public void woken(String endpointId) {}

    @Override
    public void suspended(String endpointId) {}

    @Override
    public void crashed(String endpointId, String reason) {
        // Called while the compute service is at work on the endpoint.
        some(view -> view.endpointId().equals(endpointId))
                .forEach(view -> Thread.ofVirtual().name("bury-" + endpointId).start(() -> end(view)));
    }
}
