package dev.coppice.control.api.server;

import dev.coppice.common.TimelineId;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.error.ControlException;
import dev.coppice.storage.PageService;
import dev.coppice.storage.fault.StorageException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a key for anonymized data reaches: the routes listed here, and those of a branch only where everything that the branch reads of
 * others passes a mask. It is a list of what is open: a new route is closed to such keys until it is added. Passwords, connection strings
 * and computes of other branches are closed, and whatever shows an original or changes what is masked.
 */
public final class AnonymizedScope {
    private static final String PROJECT = "/projects/{project}";
    private static final String BRANCH = PROJECT + "/branches/{branch}";
    private static final String ENDPOINT = PROJECT + "/endpoints/{endpoint}";
    private static final String URI = PROJECT + "/connection_uri";

    /** They tell names and states. What is made by the last two is checked by their handlers, which read the body. */
    private static final Set<String> OPEN = Set.of(
            "GET " + PROJECT,
            "GET " + PROJECT + "/branches",
            "GET " + BRANCH,
            "GET " + PROJECT + "/operations",
            "GET " + PROJECT + "/operations/{name}",
            "GET " + PROJECT + "/masking_rule_sets",
            "GET " + PROJECT + "/masking_rule_sets/{name}",
            "POST " + PROJECT + "/branch_anonymized",
            "POST " + PROJECT + "/branches",
            // Of their own sessions and in their own name.
            "POST /console/sessions",
            "DELETE /console/sessions/{name}",
            "DELETE /console/session",
            "POST /console/links");

    /** Of branches that see masked data. A restore checks its source, too. */
    private static final Set<String> OF_MASKED = Set.of(
            "DELETE " + BRANCH,
            "POST " + BRANCH + "/restore",
            "GET " + BRANCH + "/masking_rules",
            "GET " + BRANCH + "/anonymized_status",
            "POST " + BRANCH + "/anonymize",
            "GET " + BRANCH + "/schema",
            "GET " + BRANCH + "/endpoints",
            "GET " + BRANCH + "/databases",
            "GET " + BRANCH + "/databases/{name}",
            "GET " + BRANCH + "/roles",
            "GET " + BRANCH + "/roles/{name}",
            "GET " + BRANCH + "/roles/{name}/reveal_password",
            "POST " + BRANCH + "/roles/{name}/reset_password",
            "GET " + ENDPOINT,
            "POST " + ENDPOINT + "/start",
            "POST " + ENDPOINT + "/suspend",
            "POST " + ENDPOINT + "/restart",
            "GET " + URI);

    private final Lookup lookup;
    private final PageService pages;

    public AnonymizedScope(Lookup lookup, PageService pages) {
        this.lookup = lookup;
        this.pages = pages;
    }

    /**
     * Checks a request before its handler runs.
     *
     * @throws ControlException FORBIDDEN for such a key where it does not reach
     */
    void require(Routes.Route route, Call call) {
        if (!call.caller().anonymizedOnly()) {
            return;
        }
        String key = route.method() + ' ' + route.path();
        if (OPEN.contains(key) || (route.method().equals("GET") && route.openToProjectKeys())) {
            return;
        }
        if (!OF_MASKED.contains(key)) {
            throw forbidden("this API key is for anonymized branches: it cannot do that");
        }
        requireMasked(call, branch(route, call));
    }

    private Branch branch(Routes.Route route, Call call) {
        if (route.path().startsWith(BRANCH)) {
            return lookup.branch(call);
        }
        if (route.path().startsWith(ENDPOINT)) {
            return lookup.branch(call, lookup.endpoint(call, call.endpoint()).branchId());
        }
        // As the route's handler chooses: an endpoint goes before a branch.
        String endpoint = call.query("endpoint_id");
        String branch = call.query("branch_id");
        if (endpoint != null) {
            return lookup.branch(call, lookup.endpoint(call, endpoint).branchId());
        }
        return branch == null ? lookup.defaultBranch(call) : lookup.branch(call, branch);
    }

    /**
     * Checks that such a key may have what a branch holds.
     *
     * @throws ControlException FORBIDDEN
     */
    public void requireMasked(Call call, Branch branch) {
        if (call.caller().anonymizedOnly() && !isMasked(branch)) {
            throw forbidden("this API key is for anonymized branches, and \"" + branch.name() + "\" is none");
        }
    }

    /** As the other, for the branch that a body names; absent = the default one. */
    public void requireMaskedParent(Call call, @Nullable String branchId) {
        if (call.caller().anonymizedOnly()) {
            requireMasked(call, branchId == null ? lookup.defaultBranch(call) : lookup.branch(call, branchId));
        }
    }

    /**
     * Checks that such a key names rules that somebody else declared, or none, which masks everything.
     *
     * @throws ControlException FORBIDDEN
     */
    public void requireNamedRules(Call call, boolean statesRules) {
        if (call.caller().anonymizedOnly() && statesRules) {
            throw forbidden(
                    "this API key cannot choose what is masked: name a masking_rule_set of the project, or give no"
                            + " rules, and everything is masked");
        }
    }

    private boolean isMasked(Branch branch) {
        try {
            return pages.timeline(new TimelineId(branch.timelineId())).seesThroughBoundary();
        } catch (StorageException e) {
            throw new ControlException(
                    ControlException.Kind.UNAVAILABLE, "branch \"" + branch.name() + "\" cannot be read", e);
        }
    }

    private static ControlException forbidden(String message) {
        return new ControlException(ControlException.Kind.FORBIDDEN, message);
    }
}
