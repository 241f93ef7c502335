package dev.coppice.control;

import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeSettings;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.activity.RoleSync;
import dev.coppice.control.anonymize.AnonymizeWorkflow;
import dev.coppice.control.anonymize.BranchMaskings;
import dev.coppice.control.anonymize.IndexRebuilds;
import dev.coppice.control.anonymize.MaskedLogin;
import dev.coppice.control.anonymize.MaskedTimeline;
import dev.coppice.control.anonymize.MaskingInspection;
import dev.coppice.control.anonymize.MaskingRules;
import dev.coppice.control.anonymize.NamedRuleSets;
import dev.coppice.control.anonymize.RoleMaskings;
import dev.coppice.control.branch.Annotations;
import dev.coppice.control.branch.BranchMaker;
import dev.coppice.control.branch.BranchWorkflows;
import dev.coppice.control.branch.SchemaComparison;
import dev.coppice.control.branch.SchemaOnly;
import dev.coppice.control.branch.StorageInspection;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.deletion.BranchDeletion;
import dev.coppice.control.deletion.Expiry;
import dev.coppice.control.deletion.ProjectDeletion;
import dev.coppice.control.deletion.Recovery;
import dev.coppice.control.deletion.RecoveryWindow;
import dev.coppice.control.deletion.StorageCleanup;
import dev.coppice.control.endpoint.ComputeSizes;
import dev.coppice.control.endpoint.Computes;
import dev.coppice.control.endpoint.EndpointWorkflows;
import dev.coppice.control.endpoint.OwnerPowers;
import dev.coppice.control.ephemeral.MaskedViews;
import dev.coppice.control.ephemeral.TimeTravel;
import dev.coppice.control.id.Ids;
import dev.coppice.control.masking.Masking;
import dev.coppice.control.operation.BranchLocks;
import dev.coppice.control.operation.OperationLog;
import dev.coppice.control.operation.WakeGate;
import dev.coppice.control.project.HistoryRetention;
import dev.coppice.control.project.ProjectCreation;
import dev.coppice.control.project.ProjectWorkflows;
import dev.coppice.control.project.SettingsTrial;
import dev.coppice.control.restore.BranchMove;
import dev.coppice.control.restore.MaskedReset;
import dev.coppice.control.restore.Reanonymization;
import dev.coppice.control.restore.RestoreWorkflow;
import dev.coppice.control.restore.RestoredContents;
import dev.coppice.control.role.RolePasswords;
import dev.coppice.control.role.RoleWorkflows;
import dev.coppice.control.snapshot.SnapshotFinalization;
import dev.coppice.control.snapshot.SnapshotRestore;
import dev.coppice.control.snapshot.SnapshotWorkflows;
import dev.coppice.control.sql.AdminConnection;
import dev.coppice.control.timeline.BranchPoints;
import dev.coppice.control.timeline.BusyParent;
import dev.coppice.control.timeline.HiddenTimelines;
import dev.coppice.control.timeline.PointResolver;
import dev.coppice.control.timeline.TimelineFactory;
import dev.coppice.control.upkeep.Deadlines;
import dev.coppice.control.upkeep.Resumption;
import dev.coppice.storage.PageService;
import java.time.Clock;
import java.time.Duration;
import java.time.temporal.ChronoUnit;

/**
 * Builds what does the work of the control plane, each once and from the bottom up. It is made by {@link ControlPlane} only,
 * which hands on what is asked for; nothing else is given it whole. Its constructor is long because it is a list: one call
 * of a constructor after the other, each with what stands above it.
 */
final class Wiring {
    /** What the workflows stand on and do not own. */
    record Ground(
            Catalog catalog,
            PageService pages,
            ComputeService computeService,
            ComputeSettings computeSettings,
            ActivityMonitor monitor,
            RoleSync roleSync,
            RolePasswords passwords,
            Ids ids) {}

    /** What has a length or a size. */
    record Limits(TimeTravel.Limits timeTravel, RecoveryWindow recovery, int postgresVersion) {}

    final Ground ground;
    final Masking masking;
    final OperationLog operations;
    final Finder finder;
    final Annotations annotations;
    final ComputeSizes sizes;
    final OwnerPowers powers;
    final HiddenTimelines hidden;
    final TimeTravel travel;
    final MaskedViews views;
    final WakeGate gates;
    final MaskedLogin maskedLogin;
    final BranchWorkflows branches;
    final ProjectWorkflows projects;
    final EndpointWorkflows endpoints;
    final RoleWorkflows roles;
    final RestoreWorkflow restores;
    final Recovery recovery;
    final SnapshotWorkflows snapshots;
    final SnapshotRestore snapshotRestores;
    final SnapshotFinalization snapshotFinalization;
    final SchemaComparison schemas;
    final StorageInspection storage;
    final BranchMaskings maskings;
    final AnonymizeWorkflow anonymizing;
    final IndexRebuilds rebuilds;
    final MaskingRules maskingRules;
    final Reanonymization reanonymization;
    final NamedRuleSets ruleSets;
    final MaskingInspection maskingInspection;
    final RoleMaskings roleMaskings;
    final Resumption resumption;
    final Deadlines deadlines;
    private final Limits limits;
    private final Clock wallClock;

    /** @param wallClock as precise as it likes: what is stored has microseconds */
    Wiring(Ground ground, Masking masking, Limits limits, Clock wallClock) {
        this.ground = ground;
        this.masking = masking;
        this.limits = limits;
        this.wallClock = wallClock;
        Catalog catalog = ground.catalog();
        Inventory inventory = catalog.inventory();
        PageService pages = ground.pages();
        ComputeService computeService = ground.computeService();
        ComputeSettings computeSettings = ground.computeSettings();
        ActivityMonitor monitor = ground.monitor();
        RoleSync roleSync = ground.roleSync();
        RolePasswords passwords = ground.passwords();
        Ids ids = ground.ids();
        Masking masks = masking;
        RecoveryWindow window = limits.recovery();
        int postgresVersion = limits.postgresVersion();
        Clock clock = Clock.tick(wallClock, Duration.of(1, ChronoUnit.MICROS));

        finder = new Finder(inventory);
        AdminConnection admin = new AdminConnection(computeService.postgresVersion());
        sizes = new ComputeSizes(inventory, computeSettings);
        Computes computes = new Computes(computeService, sizes::of, sizes::reach);
        powers = new OwnerPowers(inventory, computeService, pages);
        operations = new OperationLog(catalog, ids, clock);
        BranchLocks locks = new BranchLocks();
        gates = new WakeGate();

        hidden = new HiddenTimelines(catalog, pages, computeService, monitor);
        TimelineFactory timelineFactory = new TimelineFactory(catalog, pages, computeService);
        PointResolver resolver = new PointResolver(pages, inventory, monitor, clock);
        BusyParent busyParent = new BusyParent(inventory, pages, computeService, admin);
        BranchPoints points = new BranchPoints(finder, locks, resolver, busyParent);
        travel = new TimeTravel(
                inventory,
                pages,
                computeService,
                computeSettings,
                monitor,
                hidden,
                resolver,
                ids,
                clock,
                limits.timeTravel());
        views = new MaskedViews(inventory, computeService, computeSettings, monitor, hidden, ids, clock);

        StorageCleanup removal = new StorageCleanup(
                catalog, pages, hidden, computeService, monitor, travel, views, gates, operations, clock);
        BranchDeletion deletion = new BranchDeletion(catalog, finder, locks, operations, removal, window, clock);
        ProjectDeletion projectDeletion =
                new ProjectDeletion(catalog, finder, locks, operations, removal, window, clock);
        Expiry expiry = new Expiry(catalog, finder, locks, deletion, clock);
        recovery = new Recovery(catalog, finder, locks, deletion, projectDeletion, window, clock);

        endpoints = new EndpointWorkflows(
                catalog, finder, computeService, computes, monitor, locks, operations, ids, clock);
        roles = new RoleWorkflows(catalog, finder, computes, roleSync, passwords, locks, operations, clock);
        HistoryRetention retentions = new HistoryRetention(catalog, finder, pages, hidden, locks, clock);
        SettingsTrial trial = new SettingsTrial(inventory, pages, hidden, computeService, computeSettings, ids, clock);
        ProjectCreation creation = new ProjectCreation(
                catalog,
                pages,
                timelineFactory,
                computes,
                powers,
                monitor,
                passwords,
                operations,
                removal,
                trial,
                postgresVersion,
                ids,
                clock);
        projects = new ProjectWorkflows(creation, catalog, finder, projectDeletion, retentions, trial, clock);

        BranchMaker maker = new BranchMaker(
                catalog, finder, timelineFactory, computes, powers, monitor, passwords, operations, removal, ids);
        SchemaOnly schemaOnly = new SchemaOnly(
                finder, pages, timelineFactory, hidden, computeService, computeSettings, admin, monitor, ids, clock);
        branches = new BranchWorkflows(
                catalog, finder, timelineFactory, points, locks, deletion, expiry, maker, schemaOnly, ids, clock);
        annotations = new Annotations(catalog, clock);
        schemas = new SchemaComparison(inventory, finder, pages, computes, admin, monitor, travel, locks);
        storage = new StorageInspection(catalog, finder, pages, computes);

        maskings = new BranchMaskings(catalog);
        MaskedTimeline maskedTimelines = new MaskedTimeline(
                finder,
                pages,
                timelineFactory,
                hidden,
                computeService,
                computeSettings,
                computes,
                admin,
                monitor,
                masks,
                ids,
                clock);
        rebuilds = new IndexRebuilds(inventory, monitor, maskings, maskedTimelines, ids, clock);
        maskingRules = new MaskingRules(finder, maskings, locks, clock);
        anonymizing = new AnonymizeWorkflow(
                finder,
                points,
                computeService,
                passwords,
                maskedTimelines,
                gates,
                operations,
                removal,
                maker,
                branches,
                ids,
                clock,
                rebuilds);
        maskedLogin = new MaskedLogin(catalog, points, monitor, maskedTimelines, views, ids, clock);
        ruleSets = new NamedRuleSets(catalog, finder, views, clock);
        maskingInspection = new MaskingInspection(catalog, finder, pages, computes, admin, masks, roles, clock);
        roleMaskings =
                new RoleMaskings(catalog, finder, computeService, computes, roleSync, views, locks, ruleSets, clock);

        MaskedReset maskedReset = new MaskedReset(inventory, resolver, monitor, maskings, maskedTimelines, clock);
        RestoredContents restoredContents =
                new RestoredContents(catalog, finder, timelineFactory, resolver, computes, monitor);
        BranchMove move =
                new BranchMove(catalog, computeService, monitor, passwords, views, gates, operations, ids, clock);
        restores = new RestoreWorkflow(
                inventory,
                finder,
                pages,
                points,
                resolver,
                hidden,
                maskings,
                maskedReset,
                restoredContents,
                locks,
                operations,
                removal,
                ids,
                move);
        reanonymization = new Reanonymization(finder, maskings, restores);

        snapshots = new SnapshotWorkflows(
                catalog, finder, timelineFactory, points, hidden, operations, removal, ids, clock);
        snapshotFinalization = new SnapshotFinalization(
                catalog,
                finder,
                pages,
                resolver,
                computes,
                monitor,
                maskings,
                travel,
                views,
                gates,
                locks,
                operations,
                removal,
                clock);
        snapshotRestores =
                new SnapshotRestore(inventory, finder, pages, timelineFactory, locks, maker, snapshots, ids, clock);

        resumption = new Resumption(
                catalog, pages, hidden, computeService, monitor, operations, removal, endpoints, retentions);
        deadlines = new Deadlines(expiry, recovery, snapshots, views);
    }

    /** The same with another masking: for tests that leave protections out. */
    Wiring with(Masking other) {
        return new Wiring(ground, other, limits, wallClock);
    }
}
