package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchMasking;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.rows.MaskingRows;
import dev.coppice.control.catalog.rows.OperationRows;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.masking.CleanPoint;
import dev.coppice.control.masking.RuleSet;
import dev.coppice.control.secret.ScramVerifier;
import dev.coppice.masking.MaskingException;
import dev.coppice.storage.Lease;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes anonymized branches, changes their rules and applies them. A branch stays anonymized for ever: whatever is restored into it
 * from elsewhere passes its rules.
 */
public final class AnonymizeWorkflow {
    private static final Logger log = LoggerFactory.getLogger(AnonymizeWorkflow.class);

    private final Workshop shop;
    private final BranchWorkflows branches;
    private final BranchMaker maker;
    private final MaskedTimeline timelines;

    public AnonymizeWorkflow(Workshop shop) {
        this.shop = shop;
        this.branches = new BranchWorkflows(shop);
        this.maker = new BranchMaker(shop);
        this.timelines = new MaskedTimeline(shop);
    }

    /** When indexes on masked columns are built. */
    public enum Indexes {
        /** Before anybody can connect. */
        FIRST,
        /** While the branch is used; until then they help no query and enforce nothing. */
        BACKGROUND
    }

    /** What a branch hides; empty for an ordinary one. */
    public Optional<BranchMasking> masking(String projectId, String branchId) {
        Branch branch = shop.branch(projectId, branchId);
        return shop.catalog().transaction(connection -> MaskingRows.find(connection, branch.id()));
    }

    /**
     * Declares other rules for an anonymized branch; what it shows stays as it is until {@link #anonymize}.
     *
     * @throws ControlException UNPROCESSABLE for a branch that was not made as an anonymized one, or a rule that cannot be
     *     understood
     */
    public BranchMasking replaceRules(String projectId, String branchId, RuleSet rules) {
        understand(rules);
        Branch branch = shop.branch(projectId, branchId);
        try (BranchLocks.Hold _ = shop.locks().exclusive(branch, "given other masking rules")) {
            BranchMasking changed = required(branch).withRules(rules.json(), shop.now());
            store(changed);
            return changed;
        }
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
        if (!shop.computeService().isolation().confines()) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "anonymized branches are refused on this machine: nothing keeps a program in a compute from the files of"
                            + " others (isolation: "
                            + shop.computeService().isolation().text() + ")");
        }
        understand(rules);
        shop.project(request.projectId());
        Branch parent = branches.parent(request);
        String name = request.name() == null ? branches.freeName(request.projectId()) : Names.branch(request.name());
        EndpointWorkflows.checkSuspendTimeout(request.suspendTimeoutSeconds());
        branches.requireFree(request.projectId(), name);
        if (request.point() instanceof BranchPointRequest.Head) {
            new BusyParent(shop).shortenReplay(parent);
        }
        Passwords passwords = new Passwords();
        Published published;
        shop.family().readLock().lock();
        try {
            try (BranchLocks.Hold _ = shop.locks().shared(parent, "branched");
                    Lease lease =
                            shop.resolver().resolve(shop.branch(request.projectId(), parent.id()), request.point())) {
                published =
                        publish(request, branches.draft(request, parent, name, lease.point()), lease, rules, passwords);
            }
        } finally {
            shop.family().readLock().unlock();
        }
        Branch branch = published.made().branch();
        if (indexes == Indexes.BACKGROUND) {
            published.gate().close();
            Thread.ofVirtual().name("rebuild-" + branch.id()).start(() -> rebuildQuietly(branch, published.rebuilds()));
            return published.made();
        }
        try {
            rebuild(branch, published.endpointId(), published.rebuilds(), published.gate());
        } catch (RuntimeException e) {
            log.warn("The anonymized branch {} cannot be opened and is removed", branch.name(), e);
            published.gate().close();
            removeAfter(branch, e);
            throw e;
        }
        published.gate().close();
        leave(branch, published.endpointId());
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
            BranchWorkflows.Request request, BranchMaker.Draft draft, Lease lease, RuleSet rules, Passwords passwords) {
        Branch branch = draft.branch();
        TimelineId timeline = Workshop.timeline(branch);
        String endpointId =
                draft.endpoint().map(Endpoint::id).orElseGet(() -> shop.ids().endpoint());
        Operation operation =
                maker.operation(draft, Operation.Status.RUNNING, new Removal.Detail(timeline, endpointId).text());
        shop.catalog().transaction(connection -> {
            OperationRows.insert(connection, operation);
            return Boolean.TRUE;
        });
        WakeGate.Closed gate = shop.gate().close(branch.id());
        try {
            MaskedTimeline.Made made =
                    timelines.make(timeline, lease.point(), request.projectId(), rules, passwords::choose);
            made.warnings().forEach(warning -> log.info("Anonymized branch {}: {}", branch.name(), warning));
            BranchMasking masking = BranchMasking.declared(branch.id(), rules.json(), shop.now())
                    .anonymized(1, shop.now())
                    .anonymizing("rebuilding indexes", 0, 0, shop.now());
            BranchContents contents = maker.publish(draft, made.contents().roles(), connection -> {
                for (LoginRole role : made.contents().roles().values()) {
                    RoleRows.put(connection, branch.id(), role, sealed(role, passwords), branch.createdAt());
                }
                RoleRows.replaceDatabases(
                        connection, branch.id(), made.contents().databases(), branch.createdAt());
                MaskingRows.put(connection, masking);
                OperationRows.finish(connection, operation.id(), Operation.Status.FINISHED, null, shop.now());
                return BranchContents.read(shop, connection, branch.id());
            });
            gate.doing("its indexes are being built");
            return new Published(
                    new Made(branch, draft.endpoint(), List.of(operation.finished(shop.now())), contents),
                    endpointId,
                    made.rebuilds(),
                    gate);
        } catch (RuntimeException e) {
            gate.close();
            new Removal(shop).undo(operation, e);
            throw BranchMaker.named(e, branch.name());
        }
    }

    private byte @Nullable [] sealed(LoginRole role, Passwords passwords) {
        String password = passwords.of(role.name());
        return password == null ? null : shop.secrets().seal(password, RoleWorkflows.sealContext(role.name()));
    }

    /** New passwords, for all roles that had one. */
    private final class Passwords {
        private final Map<String, String> chosen = new HashMap<>();

        Map<String, @Nullable String> choose(Map<String, LoginRole> roles) {
            Map<String, @Nullable String> verifiers = new HashMap<>();
            for (LoginRole role : roles.values()) {
                if (role.verifier() != null) {
                    String password = shop.tokens().password();
                    chosen.put(role.name(), password);
                    verifiers.put(role.name(), ScramVerifier.create(password, shop.random()));
                }
            }
            return verifiers;
        }

        @Nullable
        String of(String role) {
            return chosen.get(role);
        }
    }

    /** The compute goes to sleep like any other; one that the branch has no endpoint for goes now. */
    private void leave(Branch branch, String endpointId) {
        if (shop.inventory().endpointOfBranch(branch.id()).isPresent()) {
            shop.monitor().watch(endpointId);
        } else {
            shop.monitor().suspend(endpointId);
            shop.computeService().forget(endpointId);
        }
    }

    /** @param gate closed; told what is done behind it; absent = the branch is open */
    private void rebuild(
            Branch branch, String endpointId, List<CleanPoint.Rebuild> rebuilds, WakeGate.@Nullable Closed gate) {
        timelines.rebuild(endpointId, Workshop.timeline(branch), rebuilds, (doing, done, total) -> {
            if (gate != null) {
                gate.doing(doing + " (" + (done + 1) + " of " + total + ")");
            }
            // Our own sessions do not keep a compute awake.
            shop.monitor().touch(endpointId);
            masked(branch.id()).ifPresent(masking -> store(masking.anonymizing(doing, done, total, shop.now())));
        });
        // Rules that were declared meanwhile are not applied by this.
        masked(branch.id())
                .ifPresent(masking -> store(masking.anonymized(
                        Objects.requireNonNullElse(masking.appliedVersion(), masking.version()), shop.now())));
    }

    private void rebuildQuietly(Branch branch, List<CleanPoint.Rebuild> rebuilds) {
        String endpointId = endpointOrOther(branch);
        try {
            rebuild(branch, endpointId, rebuilds, null);
            leave(branch, endpointId);
        } catch (RuntimeException e) {
            log.warn("Indexes of the anonymized branch {} could not be built", branch.name(), e);
            masked(branch.id()).ifPresent(masking -> store(masking.failed(String.valueOf(e.getMessage()), shop.now())));
        }
    }

    private String endpointOrOther(Branch branch) {
        return shop.inventory()
                .endpointOfBranch(branch.id())
                .map(Endpoint::id)
                .orElseGet(() -> shop.ids().endpoint());
    }

    /**
     * Applies the branch's rules to its parent as it is now. What was written in the branch is lost, as by a reset.
     *
     * @throws ControlException UNPROCESSABLE with every reason against the rules; the branch then is what it was
     */
    public BranchMasking anonymize(String projectId, String branchId) {
        Branch branch = shop.branch(projectId, branchId);
        required(branch);
        String parent = branch.parentId();
        if (parent == null) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE, "branch \"" + branch.name() + "\" has no parent any more");
        }
        new RestoreWorkflow(shop)
                .restore(new RestoreWorkflow.Request(projectId, branchId, parent, new BranchPointRequest.Head(), null));
        return required(shop.branch(projectId, branchId));
    }

    /** At start: what was being rebuilt goes on; what was being applied has to be asked for again. */
    public void resume() {
        for (BranchMasking masking : shop.catalog().transaction(MaskingRows::all)) {
            if (masking.state() != BranchMasking.State.ANONYMIZING) {
                continue;
            }
            Optional<Branch> branch = shop.inventory().branch(masking.branchId());
            Integer applied = masking.appliedVersion();
            if (branch.isEmpty()) {
                continue;
            }
            if (applied == null || applied != masking.version()) {
                store(masking.failed("a restart interrupted it; anonymize the branch again", shop.now()));
                continue;
            }
            Thread.ofVirtual()
                    .name("rebuild-" + masking.branchId())
                    .start(() -> rebuildQuietly(branch.get(), rebuilds(branch.get())));
        }
    }

    private List<CleanPoint.Rebuild> rebuilds(Branch branch) {
        return shop.masking().rebuilds(shop.pages().boundaryDocument(Workshop.timeline(branch)));
    }

    private static void understand(RuleSet rules) {
        for (RuleSet.Rule rule : rules.rules()) {
            try {
                rule.parsed();
            } catch (MaskingException e) {
                throw new ControlException(
                        ControlException.Kind.UNPROCESSABLE,
                        "masking rule for " + rule.table() + "." + rule.column() + ": " + e.getMessage(),
                        e);
            }
        }
    }

    Optional<BranchMasking> masked(String branchId) {
        return shop.catalog().transaction(connection -> MaskingRows.find(connection, branchId));
    }

    private BranchMasking required(Branch branch) {
        return masked(branch.id())
                .orElseThrow(() -> new ControlException(
                        ControlException.Kind.UNPROCESSABLE,
                        "branch \"" + branch.name() + "\" is no anonymized branch: make one from it"));
    }

    void store(BranchMasking masking) {
        shop.catalog().transaction(connection -> {
            MaskingRows.put(connection, masking);
            return Boolean.TRUE;
        });
    }
}
