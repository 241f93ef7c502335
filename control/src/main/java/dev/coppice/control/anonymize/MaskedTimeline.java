package dev.coppice.control.anonymize;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeAddress;
import dev.coppice.compute.ComputeException;
import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeSettings;
import dev.coppice.compute.ComputeSpec;
import dev.coppice.compute.sandbox.Isolation;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.branch.Made;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.model.HiddenTimeline;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.rows.MaskingRows.SealedKey;
import dev.coppice.control.endpoint.Computes;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.Ids;
import dev.coppice.control.masking.CleanPoint;
import dev.coppice.control.masking.Masking;
import dev.coppice.control.masking.Rebuilding;
import dev.coppice.control.masking.RuleSet;
import dev.coppice.control.sql.AdminConnection;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.control.sql.LiveState;
import dev.coppice.control.timeline.HiddenTimelines;
import dev.coppice.control.timeline.TimelineFactory;
import dev.coppice.storage.PageService;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.layout.BranchPoint;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes masked timelines: a hidden timeline at the parent's point, a compute on it that recovers, cleans its catalogs and shuts
 * down, and on that a timeline which sees it through the boundary only. The hidden one stays as long as the masked one does.
 */
public final class MaskedTimeline {
    private final Finder finder;
    private final PageService pages;
    private final TimelineFactory timelineFactory;
    private final HiddenTimelines hidden;
    private final ComputeService computeService;
    private final ComputeSettings computeSettings;
    private final Computes computes;
    private final AdminConnection admin;
    private final ActivityMonitor monitor;
    private final Masking masks;
    private final Ids ids;
    private final Clock clock;

    public MaskedTimeline(
            Finder finder,
            PageService pages,
            TimelineFactory timelineFactory,
            HiddenTimelines hidden,
            ComputeService computeService,
            ComputeSettings computeSettings,
            Computes computes,
            AdminConnection admin,
            ActivityMonitor monitor,
            Masking masks,
            Ids ids,
            Clock clock) {
        this.finder = finder;
        this.pages = pages;
        this.timelineFactory = timelineFactory;
        this.hidden = hidden;
        this.computeService = computeService;
        this.computeSettings = computeSettings;
        this.computes = computes;
        this.admin = admin;
        this.monitor = monitor;
        this.masks = masks;
        this.ids = ids;
        this.clock = clock;
    }

    /** A timeline that was made, with its roles and databases, and what is left to do in it. */
    public record Made(LiveState contents, List<CleanPoint.Rebuild> rebuilds, List<String> warnings) {}

    /** More that is done to the clean point, after its catalogs were cleaned. */
    @FunctionalInterface
    interface Finish {
        void run(Connection main, CleanPoint.Databases databases) throws SQLException;
    }

    /** As {@link #make(TimelineId, BranchPoint, String, RuleSet, Function, Finish)}, with nothing more. */
    public Made make(
            TimelineId masked,
            BranchPoint point,
            String projectId,
            RuleSet rules,
            Function<Map<String, LoginRole>, Map<String, @Nullable String>> verifiers) {
        return make(masked, point, projectId, rules, verifiers, (_, _) -> {});
    }

    /**
     * Makes the timeline {@code masked}.
     *
     * @param point of the parent, leased by the caller
     * @param verifiers what to do with roles and passwords: of the parent's roles, the verifiers that the branch gets
     * @throws ControlException UNPROCESSABLE with every reason against the rules; nothing is left then
     */
    public Made make(
            TimelineId masked,
            BranchPoint point,
            String projectId,
            RuleSet rules,
            Function<Map<String, LoginRole>, Map<String, @Nullable String>> verifiers,
            Finish finish) {
        Isolation isolation = computeService.isolation();
        if (!isolation.confines()) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "nothing is anonymized on this machine: its kernel cannot keep programs in a branch from the"
                            + " originals; isolation: " + isolation.text());
        }
        Duration retention = finder.project(projectId).retention();
        SealedKey key = masks.keys().of(projectId, clock.instant());
        HiddenTimeline place = new HiddenTimeline(
                ids.branch(), projectId, HiddenTimeline.Kind.CLEAN_POINT, ids.endpoint(), clock.instant());
        TimelineId clean = new TimelineId(place.timelineId());
        String helper = java.util.Objects.requireNonNull(place.endpointId());
        hidden.keep(place);
        try {
            timelineFactory.create(clean, point, retention);
            Cleaned cleaned = clean(clean, helper, projectId, rules, key, verifiers, finish);
            monitor.suspend(helper);
            computeService.discardLocal(clean);
            computeService.forget(helper);
            pages.timeline(clean).releaseUnwrittenWal();
            BranchPoint cleanPoint = pages.timeline(clean).head();
            pages.createBranch(masked, cleanPoint, cleaned.ready().document().bytes());
            pages.setRetention(masked, retention);
            timelineFactory.noteBoundary(masked);
            return new Made(
                    cleaned.contents(),
                    cleaned.ready().rebuilds(),
                    cleaned.ready().warnings());
        } catch (StorageException | ComputeException e) {
            throw new ControlException(
                    ControlException.Kind.UNAVAILABLE, "the branch could not be anonymized: " + e.getMessage(), e);
        } finally {
            hidden.letGo(place);
        }
    }

    private record Cleaned(CleanPoint.Ready ready, LiveState contents) {}

    private Cleaned clean(
            TimelineId timeline,
            String helper,
            String projectId,
            RuleSet rules,
            SealedKey key,
            Function<Map<String, LoginRole>, Map<String, @Nullable String>> verifiers,
            Finish finish) {
        ComputeAddress address = new Computes(
                        computeService, _ -> secluded(computeSettings), ComputeSpec.Mode.READ_WRITE)
                .awake(helper, timeline);
        try (Connection connection = admin.open(address)) {
            LiveState before = ComputeSql.read(connection);
            Map<String, @Nullable String> chosen = verifiers.apply(before.roles());
            CleanPoint.Databases databases = database -> admin.open(address, database);
            CleanPoint.Ready ready = masks.cleanPoint(databases)
                    .prepare(AdminConnection.MAINTENANCE_DATABASE, rules, projectId, key, chosen);
            finish.run(connection, databases);
            return new Cleaned(ready, ComputeSql.read(connection));
        } catch (SQLException e) {
            throw ComputeSql.translate(e);
        }
    }

    /** What is to be rebuilt on a masked timeline that was made earlier. */
    public List<CleanPoint.Rebuild> rebuilds(TimelineId masked) {
        return masks.rebuilds(pages.boundaryDocument(masked));
    }

    /** Nothing runs on it but what we ask: no workers that would connect to production, nothing that changes tables. */
    private static ComputeSettings secluded(ComputeSettings settings) {
        Map<String, String> postgres = new HashMap<>(settings.postgres());
        postgres.put("autovacuum", "off");
        return new ComputeSettings(settings.computeUnits(), postgres);
    }

    /**
     * Rebuilds in the branch what could not be shown.
     *
     * @throws ControlException UNPROCESSABLE when an index cannot be built from the masked values
     */
    public void rebuild(
            String endpointId, TimelineId masked, List<CleanPoint.Rebuild> rebuilds, Rebuilding.Progress progress) {
        try {
            ComputeAddress address = computes.awake(endpointId, masked);
            Rebuilding.run(database -> admin.open(address, database), rebuilds, progress);
        } catch (SQLException e) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "an index on masked values could not be built: " + AdminConnection.said(e),
                    e);
        } catch (CompletionException e) {
            throw new ControlException(
                    ControlException.Kind.UNAVAILABLE, "the compute could not be started: " + e.getMessage(), e);
        }
    }
}
