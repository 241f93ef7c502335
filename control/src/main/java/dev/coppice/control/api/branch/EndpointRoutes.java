package dev.coppice.control.api.branch;

import dev.coppice.control.api.server.Call;
import dev.coppice.control.api.server.Lookup;
import dev.coppice.control.api.server.Reply;
import dev.coppice.control.api.server.Routes;
import dev.coppice.control.api.view.Bodies;
import dev.coppice.control.api.view.SettingsChange;
import dev.coppice.control.api.view.ViewMaker;
import dev.coppice.control.api.view.Views;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.ProjectSettings.EndpointSettings;
import dev.coppice.control.endpoint.EndpointWorkflows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.meter.Quotas;
import java.io.IOException;
import java.util.List;
import java.util.Objects;

/** Endpoints. */
public final class EndpointRoutes {
    private final Lookup lookup;
    private final EndpointWorkflows endpoints;
    private final Quotas quotas;
    private final ViewMaker views;

    public EndpointRoutes(Lookup lookup, EndpointWorkflows endpoints, Quotas quotas, ViewMaker views) {
        this.lookup = lookup;
        this.endpoints = endpoints;
        this.quotas = quotas;
        this.views = views;
    }

    public void register(Routes routes) {
        routes.get("/projects/{project}/endpoints", call -> list(lookup.endpoints(call)));
        routes.get("/projects/{project}/branches/{branch}/endpoints", call -> {
            Branch branch = lookup.branch(call);
            return list(lookup.endpointsOf(branch));
        });
        routes.post("/projects/{project}/endpoints", this::create);
        routes.get(
                "/projects/{project}/endpoints/{endpoint}",
                call -> Reply.ok(new Views.OneEndpoint(views.endpoint(lookup.endpoint(call, call.endpoint())))));
        routes.patch("/projects/{project}/endpoints/{endpoint}", this::update);
        routes.delete(
                "/projects/{project}/endpoints/{endpoint}",
                call -> changed(endpoints.delete(call.project(), call.endpoint())));
        routes.post("/projects/{project}/endpoints/{endpoint}/start", call -> {
            requireQuota(call.project());
            return changed(endpoints.start(call.project(), call.endpoint()));
        });
        routes.post(
                "/projects/{project}/endpoints/{endpoint}/suspend",
                call -> changed(endpoints.suspend(call.project(), call.endpoint())));
        routes.post("/projects/{project}/endpoints/{endpoint}/restart", call -> {
            requireQuota(call.project());
            return changed(endpoints.restart(call.project(), call.endpoint()));
        });
    }

    /** As for who connects. */
    private void requireQuota(String project) {
        quotas.exceeded(project).ifPresent(why -> {
            throw new ControlException(
                    ControlException.Kind.PRECONDITION, why + "; raise the quota, or wait for the next month");
        });
    }

    private Reply list(List<Endpoint> found) {
        return Reply.ok(new Views.Endpoints(found.stream().map(views::endpoint).toList()));
    }

    private Reply create(Call call) throws IOException {
        Bodies.NewEndpoint asked = call.body(Bodies.CreateEndpoint.class).endpoint();
        if (asked == null || asked.branchId() == null) {
            throw ControlException.invalid("endpoint.branch_id: is missing");
        }
        Branch branch = lookup.branch(call, asked.branchId());
        Endpoint endpoint = endpoints.create(
                branch.projectId(),
                new EndpointWorkflows.Request(
                        branch.id(),
                        Objects.requireNonNullElse(asked.type(), Endpoint.READ_WRITE),
                        Objects.requireNonNullElse(asked.suspendTimeoutSeconds(), 0),
                        Boolean.TRUE.equals(asked.disabled()),
                        SettingsChange.endpoint(
                                EndpointSettings.DEFAULTS,
                                asked.name(),
                                asked.autoscalingLimitMinCu(),
                                asked.autoscalingLimitMaxCu(),
                                asked.settings())));
        return Reply.created(new Views.ChangedEndpoint(views.endpoint(endpoint), List.of()));
    }

    private Reply update(Call call) throws IOException {
        Bodies.EndpointChange asked = call.body(Bodies.UpdateEndpoint.class).endpoint();
        if (asked == null) {
            throw ControlException.invalid("endpoint: is missing");
        }
        if (Boolean.TRUE.equals(asked.passwordlessAccess())) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE, "endpoint.passwordless_access: is not supported");
        }
        Endpoint named = lookup.endpoint(call, call.endpoint());
        return changed(endpoints.update(
                named.projectId(),
                named.id(),
                before -> new EndpointWorkflows.Wanted(
                        Objects.requireNonNullElse(asked.suspendTimeoutSeconds(), before.suspendTimeoutSeconds()),
                        Objects.requireNonNullElse(asked.disabled(), before.disabled()),
                        SettingsChange.endpoint(
                                before.settings(),
                                asked.name(),
                                asked.autoscalingLimitMinCu(),
                                asked.autoscalingLimitMaxCu(),
                                asked.settings()))));
    }

    /** The work is done when this is answered, so there is no operation left to wait for. */
    private Reply changed(Endpoint endpoint) {
        return Reply.ok(new Views.ChangedEndpoint(views.endpoint(endpoint), List.of()));
    }
}
