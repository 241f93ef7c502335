package dev.coppice.control.api.project;

import dev.coppice.control.api.server.Reply;
import dev.coppice.control.api.server.Routes;
import dev.coppice.control.api.view.ViewMaker;
import dev.coppice.control.api.view.Views;
import dev.coppice.control.deletion.Recovery;
import java.util.List;

/** Brings back what was deleted. */
public final class RecoveryRoutes {
    private final Recovery recovery;
    private final ViewMaker views;

    public RecoveryRoutes(Recovery recovery, ViewMaker views) {
        this.recovery = recovery;
        this.views = views;
    }

    public void register(Routes routes) {
        routes.post(
                "/projects/{project}/recover",
                call -> Reply.ok(new Views.OneProject(views.project(recovery.project(call.project())))));
        routes.post(
                "/projects/{project}/branches/{branch}/recover",
                call -> Reply.ok(new Views.ChangedBranch(
                        views.branch(recovery.branch(call.project(), call.branch())), List.of())));
    }
}
