package dev.coppice.control.api;

import dev.coppice.control.branch.Recovery;
import java.util.List;

/** Brings back what was deleted. */
final class RecoveryRoutes {
    private final Recovery recovery;
    private final ViewMaker views;

    RecoveryRoutes(Recovery recovery, ViewMaker views) {
        this.recovery = recovery;
        this.views = views;
    }

    void register(Routes routes) {
        routes.post(
                "/projects/{project}/recover",
                call -> Reply.ok(new Views.OneProject(views.project(recovery.project(call.project())))));
        routes.post(
                "/projects/{project}/branches/{branch}/recover",
                call -> Reply.ok(new Views.ChangedBranch(
                        views.branch(recovery.branch(call.project(), call.branch())), List.of())));
    }
}
