package dev.coppice.control.api.account;

import dev.coppice.control.api.server.Lookup;
import dev.coppice.control.api.server.Reply;
import dev.coppice.control.api.server.Routes;
import dev.coppice.control.error.ControlException;
import java.util.List;
import java.util.Map;

/**
 * What belongs to Neon's cloud: an empty list where its clients only look, 404 where they understand that a feature is off,
 * 501 with the reason where something is to be made.
 */
public final class CloudRoutes {
    private static final String PROJECT = "/projects/{project}";
    private static final String BRANCH = PROJECT + "/branches/{branch}";

    private final Lookup lookup;

    public CloudRoutes(Lookup lookup) {
        this.lookup = lookup;
    }

    public void register(Routes routes) {
        emptyOfProject(routes, "/permissions", "project_permissions");
        emptyOfProject(routes, "/jwks", "jwks");
        emptyOfProject(routes, "/vpc_endpoints", "endpoints");
        emptyOfProject(routes, "/available_preload_libraries", "libraries");
        emptyOfProject(routes, "/advisors", "issues");
        emptyOfBranch(routes, "/buckets", "buckets");
        emptyOfBranch(routes, "/functions", "functions");
        emptyOfBranch(routes, "/credentials", "credentials");
        off(routes, BRANCH + "/auth", "Neon Auth");
        off(routes, BRANCH + "/data-api/{name}", "the Data API");
        off(routes, BRANCH + "/storage", "object storage");
        off(routes, BRANCH + "/ai_gateway", "the AI gateway");
        routes.post(PROJECT + "/permissions", notHere("sharing a project with other accounts"));
        routes.delete(PROJECT + "/permissions/{name}", notHere("sharing a project with other accounts"));
        routes.post(PROJECT + "/jwks", notHere("login with JSON web tokens"));
        routes.delete(PROJECT + "/jwks/{name}", notHere("login with JSON web tokens"));
        routes.post(PROJECT + "/vpc_endpoints/{name}", notHere("restricting a project to VPC endpoints"));
        routes.delete(PROJECT + "/vpc_endpoints/{name}", notHere("restricting a project to VPC endpoints"));
        routes.post(PROJECT + "/transfer_requests", notHere("transferring projects between accounts"));
        routes.put(PROJECT + "/transfer_requests/{name}", notHere("transferring projects between accounts"));
        routes.post(BRANCH + "/auth", notHere("Neon Auth"));
        routes.delete(BRANCH + "/auth", notHere("Neon Auth"));
        routes.post(BRANCH + "/data-api/{name}", notHere("the Data API"));
        routes.patch(BRANCH + "/data-api/{name}", notHere("the Data API"));
        routes.delete(BRANCH + "/data-api/{name}", notHere("the Data API"));
        routes.post(BRANCH + "/buckets", notHere("object storage"));
        routes.post(BRANCH + "/credentials", notHere("credentials of object storage and functions"));
        routes.post("/users/me/projects/transfer", notHere("transferring projects between accounts"));
        routes.post(
                "/organizations/{organization}/projects/transfer", notHere("transferring projects between accounts"));
        routes.post("/organizations/{organization}/invitations", notHere("inviting members"));
        String vpcEndpoint = "/organizations/{organization}/vpc/region/{region}/vpc_endpoints/{name}";
        routes.get(vpcEndpoint, notHere("VPC endpoints"));
        routes.post(vpcEndpoint, notHere("VPC endpoints"));
        routes.delete(vpcEndpoint, notHere("VPC endpoints"));
    }

    private void emptyOfProject(Routes routes, String path, String field) {
        routes.get(PROJECT + path, call -> {
            var _ = lookup.project(call);
            return Reply.ok(Map.of(field, List.of()));
        });
    }

    private void emptyOfBranch(Routes routes, String path, String field) {
        routes.get(BRANCH + path, call -> {
            var _ = lookup.branch(call);
            return Reply.ok(Map.of(field, List.of()));
        });
    }

    private void off(Routes routes, String path, String feature) {
        routes.get(path, call -> {
            var _ = lookup.branch(call);
            throw ControlException.notFound(feature + " is not enabled: it is a feature of Neon's cloud");
        });
    }

    private static Routes.Handler notHere(String feature) {
        return _ -> {
            throw new ControlException(
                    ControlException.Kind.NOT_HERE,
                    feature + " is a feature of Neon's cloud that Coppice does not have");
        };
    }
}
