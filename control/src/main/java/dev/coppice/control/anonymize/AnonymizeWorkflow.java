package dev.coppice.control.anonymize;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeService;
import dev.coppice.control.branch.BranchMaker;
import dev.coppice.control.branch.BranchWorkflows;
import dev.coppice.control.branch.Made;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchMasking;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.rows.MaskingRows;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.deletion.StorageCleanup;
import dev.coppice.control.endpoint.EndpointWorkflows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.Ids;
import dev.coppice.control.id.NameRules;
import dev.coppice.control.masking.CleanPoint;
import dev.coppice.control.masking.RuleSet;
import dev.coppice.control.operation.OperationLog;
import dev.coppice.control.operation.UnfinishedCreation;
import dev.coppice.control.operation.WakeGate;
import dev.coppice.control.role.BranchContents;
import dev.coppice.control.role.Credentials;
import dev.coppice.control.role.RolePasswords;
import dev.coppice.control.timeline.BranchPoints;
import dev.coppice.storage.history.Lease;
import java.time.Clock;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes anonymized branches. A branch stays anonymized for ever: whatever is restored into it from elsewhere passes its
 * rules. Thread-safe.
 */
public final class AnonymizeWorkflow {
    private static final Logger log = LoggerFactory.getLogger(AnonymizeWorkflow.class);

    private final Finder finder;
    private final BranchPoints points;
    private final ComputeService computeService;
    private final RolePasswords passwords;
    private final MaskedTimeline maskedTimelines;
    private final WakeGate gates;
    private final OperationLog operations;
    private final StorageCleanup removal;
    private final BranchMaker maker;
    private final BranchWorkflows branches;
    private final Ids ids;
    private final Clock clock;
    private final IndexRebuilds rebuilds;

    public AnonymizeWorkflow(
            Finder finder,
            BranchPoints points,
            ComputeService computeService,
            RolePasswords passwords,
            MaskedTimeline maskedTimelines,
            WakeGate gates,
            OperationLog operations,
            StorageCleanup removal,
            BranchMaker maker,
            BranchWorkflows branches,
            Ids ids,
            Clock clock,
            IndexRebuilds rebuilds) {
        this.finder = finder;
        this.points = points;
        this.computeService = computeService;
        this.passwords = passwords;
        this.maskedTimelines = maskedTimelines;
        this.gates = gates;
        this.operations = operations;
        this.removal = removal;
        this.maker = maker;
        this.branches = branches;
        this.ids = ids;
        this.clock = clock;
        this.rebuilds = rebuilds;
    }

    /** When indexes on masked columns are built. */
    public enum Indexes {
        /** Before anybody can connect. */
        FIRST,
        /** While the branch is used; until then they help no query and enforce nothing. */
        BACKGROUND
    }

    /** As {@link #create(BranchWorkflows.Request, RuleSet, Indexes)}, with indexes first. */
    public Made create(BranchWorkflows.Request request, RuleSet rules) {
        return create(request, rules, Indexes.FIRST);
    }

    /**
     * Makes a branch whose compute never receives a masked value. It can be connected to when this returns; its roles have passwords of
     * their own.
     *
     * @throws ControlException as {@link BranchWorkflows#create}, and UNPROCESSABLE with every reason against the rules
     */
    public Made create(BranchWorkflows.Request request, RuleSet rules, Indexes indexes) {
        if (!computeService.isolation().confines()) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "anonymized branches are refused on this machine: nothing keeps a program in a compute from the files of"
                            + " others (isolation: "
                            + computeService.isolation().text() + ")");
        }
        MaskingRules.understand(rules);
        var _ = finder.project(request.projectId());
        Branch parent = branches.parent(request);
        String name =
                request.name() == null ? branches.freeName(request.projectId()) : NameRules.branch(request.name());
        EndpointWorkflows.checkSuspendTimeout(request.suspendTimeoutSeconds());
        branches.requireFree(request.projectId(), name);
        points.prepare(parent, request.point());
        Credentials credentials = new Credentials(passwords);
        Published published = points.use(
                request.projectId(),
                parent.id(),
                request.point(),
                "branched",
                (_, lease) -> publish(
                        request, branches.draft(request, parent, name, lease.point()), lease, rules, credentials));
        Branch branch = published.made().branch();
        if (indexes == Indexes.BACKGROUND) {
            published.gate().close();
            rebuilds.start(branch, published.rebuilds());
            return published.made();
        }
        try {
            rebuilds.run(branch, published.endpointId(), published.rebuilds(), published.gate());
        } catch (RuntimeException e) {
            log.warn("The anonymized branch {} cannot be opened and is removed", branch.name(), e);
            published.gate().close();
            removeAfter(branch, e);
            throw e;
        }
        published.gate().close();
        rebuilds.leave(branch, published.endpointId());
        return published.made();
    }

    private void removeAfter(Branch branch, RuntimeException reason) {
        try {
            branches.setProtected(branch.projectId(), branch.id(), false);
            branches.delete(branch.projectId(), branch.id(), true);
        } catch (RuntimeException e) {
            reason.addSuppressed(e);
        }
    }

    /** A branch that is in the catalog, behind a closed gate. */
    private record Published(Made made, String endpointId, List<CleanPoint.Rebuild> rebuilds, WakeGate.Closed gate) {}

    private Published publish(
            BranchWorkflows.Request request,
            BranchMaker.Draft draft,
            Lease lease,
            RuleSet rules,
            Credentials credentials) {
        Branch branch = draft.branch();
        TimelineId timeline = branch.timeline();
        String endpointId = draft.endpoint().map(Endpoint::id).orElseGet(() -> ids.endpoint());
        Operation operation =
                maker.operation(draft, Operation.Status.RUNNING, new UnfinishedCreation(timeline, endpointId).text());
        operations.record(operation);
        WakeGate.Closed gate = gates.close(branch.id());
        try {
            MaskedTimeline.Made made =
                    maskedTimelines.make(timeline, lease.point(), request.projectId(), rules, credentials::choose);
            made.warnings().forEach(warning -> log.info("Anonymized branch {}: {}", branch.name(), warning));
            BranchMasking masking = BranchMasking.declared(branch.id(), rules.json(), clock.instant())
                    .anonymized(1, clock.instant())
                    .anonymizing("rebuilding indexes", 0, 0, clock.instant());
            BranchContents contents = maker.publish(draft, made.contents().roles(), connection -> {
                for (LoginRole role : made.contents().roles().values()) {
                    RoleRows.put(connection, branch.id(), role, credentials.sealed(role.name()), branch.createdAt());
                }
                RoleRows.replaceDatabases(
                        connection, branch.id(), made.contents().databases(), branch.createdAt());
                MaskingRows.put(connection, masking);
                operations.finish(connection, operation);
                return BranchContents.read(passwords, connection, branch.id());
            });
            gate.doing("its indexes are being built");
            return new Published(
                    new Made(branch, draft.endpoint(), List.of(operations.finished(operation)), contents),
                    endpointId,
                    made.rebuilds(),
                    gate);
        } catch (RuntimeException e) {
            gate.close();
            removal.undo(operation, e);
            throw BranchMaker.named(e, branch.name());
        }
    }
}
