package dev.coppice.control.api.storage;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.control.api.server.Call;
import dev.coppice.control.api.server.ClientGoneException;
import dev.coppice.control.api.server.Failure;
import dev.coppice.control.api.server.Lines;
import dev.coppice.control.api.server.Lookup;
import dev.coppice.control.api.server.Reply;
import dev.coppice.control.api.server.Routes;
import dev.coppice.control.branch.StorageInspection;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.error.ControlException;
import dev.coppice.storage.verify.Finding;
import dev.coppice.storage.verify.Progress;
import dev.coppice.storage.verify.Verification;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What an operator looks at below the branches. Coppice's own: Neon has no such routes. */
public final class StorageRoutes {
    private static final Logger log = LoggerFactory.getLogger(StorageRoutes.class);

    /** Between two lines of progress, in nanoseconds. */
    private static final long PROGRESS_INTERVAL = 200_000_000;

    private final Inventory inventory;
    private final Lookup lookup;
    private final StorageInspection inspection;

    public StorageRoutes(Inventory inventory, Lookup lookup, StorageInspection inspection) {
        this.inventory = inventory;
        this.lookup = lookup;
        this.inspection = inspection;
    }

    public void register(Routes routes) {
        routes.get(
                "/storage/stats",
                call -> Reply.ok(new StorageViews.Stats(
                        inventory.projects().stream().map(this::stats).toList())));
        routes.get(
                "/storage/projects/{project}/stats",
                call -> Reply.ok(new StorageViews.Stats(List.of(stats(lookup.project(call))))));
        routes.get("/storage/projects/{project}/branches/{branch}/page", this::page);
        routes.lines("/storage/verify", (call, lines) -> verify(inspection.everything(), lines));
        routes.lines(
                "/storage/projects/{project}/branches/{branch}/verify",
                (call, lines) -> verify(inspection.chain(lookup.branch(call)), lines));
    }

    private StorageViews.ProjectStats stats(Project project) {
        return StorageViews.ProjectStats.of(project, inspection.sizes(inventory.branchesOf(project.id())));
    }

    private Reply page(Call call) {
        Branch branch = lookup.branch(call);
        Optional<Lsn> lsn = Optional.ofNullable(call.query("lsn")).map(StorageRoutes::lsn);
        String fork = call.query("fork");
        StorageInspection.BlockHistory history = inspection.page(
                branch,
                call.requiredQuery("relation"),
                call.query("database"),
                fork == null ? "main" : fork,
                block(call.requiredQuery("block")),
                lsn);
        Collection<Branch> branches = inventory.branches();
        return Reply.ok(new StorageViews.Page(
                branch.id(),
                history.path(),
                history.block(),
                lsn.map(Lsn::toString).orElse(null),
                history.versions().stream()
                        .map(version ->
                                StorageViews.Version.of(version, inspection.branchOf(version.timeline(), branches)))
                        .toList()));
    }

    private static Lsn lsn(String text) {
        try {
            return Lsn.parse(text);
        } catch (IllegalArgumentException e) {
            throw new ControlException(ControlException.Kind.INVALID, "lsn: " + e.getMessage(), e);
        }
    }

    private static long block(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new ControlException(ControlException.Kind.INVALID, "block: must be a number", e);
        }
    }

    private void verify(List<TimelineId> timelines, Lines lines) {
        Collection<Branch> branches = inventory.branches();
        Verification all = Verification.NOTHING;
        long[] lastProgress = {System.nanoTime()};
        try {
            for (int i = 0; i < timelines.size(); i++) {
                TimelineId timeline = timelines.get(i);
                Optional<Branch> branch = inspection.branchOf(timeline, branches);
                Verification one =
                        inspection.verify(timeline, progress(i, timelines.size(), branch, lines, lastProgress));
                for (Finding finding : one.findings()) {
                    lines.send(new StorageViews.FindingLine(StorageViews.Problem.of(finding, branch)));
                }
                all = all.plus(one);
            }
            lines.send(new StorageViews.ResultLine(StorageViews.Result.of(all)));
        } catch (ClientGoneException e) {
            // Nobody listens any more: the check has stopped.
            throw e;
        } catch (RuntimeException e) {
            if (!lines.begun()) {
                throw e;
            }
            String requestId = UUID.randomUUID().toString();
            log.error("a check of the storage failed, request {}", requestId, e);
            lines.send(new StorageViews.ErrorLine(
                    new Failure("INTERNAL", "the check failed: " + e.getMessage(), requestId)));
        }
    }

    private static Progress progress(int number, int count, Optional<Branch> branch, Lines lines, long[] last) {
        return (timeline, step, done, total) -> {
            long now = System.nanoTime();
            if (now - last[0] < PROGRESS_INTERVAL) {
                return;
            }
            last[0] = now;
            lines.send(new StorageViews.ProgressLine(new StorageViews.Step(
                    number + 1,
                    count,
                    timeline.value(),
                    branch.map(Branch::name).orElse(null),
                    step,
                    done,
                    total)));
        };
    }
}
