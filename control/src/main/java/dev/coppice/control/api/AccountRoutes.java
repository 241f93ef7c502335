package dev.coppice.control.api;

import java.time.Instant;
import java.util.List;
import java.util.Map;

/** What clients ask before they ask for anything else. There is one user, one organization and one region. */
final class AccountRoutes {
    private final Instant since;

    AccountRoutes(Instant since) {
        this.since = since;
    }

    void register(Routes routes) {
        routes.get(
                "/users/me",
                _ -> Reply.ok(Map.ofEntries(
                        Map.entry("id", ViewMaker.OWNER),
                        Map.entry("login", "coppice"),
                        Map.entry("email", "coppice@localhost"),
                        Map.entry("name", "Coppice"),
                        Map.entry("last_name", ""),
                        Map.entry("image", ""),
                        Map.entry("plan", "self-hosted"),
                        Map.entry("projects_limit", -1),
                        Map.entry("branches_limit", -1),
                        Map.entry("max_autoscaling_limit", -1),
                        Map.entry("auth_accounts", List.of()),
                        Map.entry("active_seconds_limit", -1),
                        Map.entry("billing_account", Map.of()))));
        routes.get(
                "/users/me/organizations",
                _ -> Reply.ok(Map.of(
                        "organizations",
                        List.of(Map.of(
                                "id", ViewMaker.ORGANIZATION,
                                "name", "Coppice",
                                "handle", "coppice",
                                "plan", "self-hosted",
                                "managed_by", "coppice",
                                "created_at", since,
                                "updated_at", since)))));
        routes.get("/auth", _ -> Reply.ok(Map.of("account_id", ViewMaker.OWNER, "auth_method", "api_key_user")));
        routes.get(
                "/regions",
                _ -> Reply.ok(Map.of(
                        "regions",
                        List.of(Map.of(
                                "region_id", ViewMaker.REGION,
                                "name", "This machine",
                                "default", true,
                                "geo_lat", "0",
                                "geo_long", "0")))));
    }
}
