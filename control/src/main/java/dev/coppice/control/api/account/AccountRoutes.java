package dev.coppice.control.api.account;

import dev.coppice.control.api.server.Call;
import dev.coppice.control.api.server.Reply;
import dev.coppice.control.api.server.Routes;
import dev.coppice.control.api.view.Account;
import dev.coppice.control.error.ControlException;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** What clients ask before they ask for anything else. There is one user, one organization and one region. */
public final class AccountRoutes {
    private static final String[] ALL = {
        "/users/me",
        "/users/me/organizations",
        "/organizations/{organization}",
        "/organizations/{organization}/members",
        "/organizations/{organization}/invitations",
        "/organizations/{organization}/vpc/vpc_endpoints",
        "/organizations/{organization}/vpc/region/{region}/vpc_endpoints",
        "/auth",
        "/regions"
    };

    private final Instant since;

    public AccountRoutes(Instant since) {
        this.since = since;
    }

    public void register(Routes routes) {
        routes.openToProjectKeys(ALL);
        routes.get(
                "/users/me",
                _ -> Reply.ok(Map.ofEntries(
                        Map.entry("id", Account.USER),
                        Map.entry("login", "coppice"),
                        Map.entry("email", "coppice@example.com"),
                        Map.entry("name", Account.USER_NAME),
                        Map.entry("last_name", ""),
                        Map.entry("image", ""),
                        Map.entry("plan", Account.PLAN),
                        Map.entry("projects_limit", -1),
                        Map.entry("branches_limit", -1),
                        Map.entry("max_autoscaling_limit", -1),
                        Map.entry("auth_accounts", List.of()),
                        Map.entry("active_seconds_limit", -1))));
        routes.get("/users/me/organizations", _ -> Reply.ok(Map.of("organizations", List.of(organization()))));
        routes.get("/organizations/{organization}", call -> {
            requireOrganization(call);
            return Reply.ok(organization());
        });
        routes.get("/organizations/{organization}/members", call -> {
            requireOrganization(call);
            return Reply.ok(Map.of("members", List.of()));
        });
        routes.get("/organizations/{organization}/invitations", call -> {
            requireOrganization(call);
            return Reply.ok(Map.of("invitations", List.of()));
        });
        for (String path : List.of(
                "/organizations/{organization}/vpc/vpc_endpoints",
                "/organizations/{organization}/vpc/region/{region}/vpc_endpoints")) {
            routes.get(path, call -> {
                requireOrganization(call);
                return Reply.ok(Map.of("endpoints", List.of()));
            });
        }
        routes.get("/auth", _ -> Reply.ok(Map.of("account_id", Account.USER, "auth_method", "api_key_user")));
        routes.get(
                "/regions",
                _ -> Reply.ok(Map.of(
                        "regions",
                        List.of(Map.of(
                                "region_id", Account.REGION,
                                "name", "This machine",
                                "default", true,
                                "geo_lat", "0",
                                "geo_long", "0")))));
    }

    private Map<String, Object> organization() {
        return Map.of(
                "id",
                Account.ORGANIZATION,
                "name",
                "Coppice",
                "handle",
                "coppice",
                "plan",
                Account.PLAN,
                "managed_by",
                "coppice",
                "created_at",
                since,
                "updated_at",
                since);
    }

    static void requireOrganization(Call call) {
        String id = call.part("organization");
        if (!id.equals(Account.ORGANIZATION)) {
            throw ControlException.notFound(
                    "organization \"" + id + "\" not found; the only one is " + Account.ORGANIZATION);
        }
    }
}
