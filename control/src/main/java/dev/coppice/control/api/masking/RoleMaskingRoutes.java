package dev.coppice.control.api.masking;

import dev.coppice.control.anonymize.RoleMaskings;
import dev.coppice.control.api.server.Call;
import dev.coppice.control.api.server.Reply;
import dev.coppice.control.api.server.Routes;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Roles that see a masked view of their branch; ours, Neon has nothing like it. */
public final class RoleMaskingRoutes {
    private static final String BRANCH = "/projects/{project}/branches/{branch}";
    private static final String ROLE = BRANCH + "/roles/{name}/masking";

    private final RoleMaskings maskings;

    public RoleMaskingRoutes(RoleMaskings maskings) {
        this.maskings = maskings;
    }

    /**
     * What is asked for.
     *
     * @param maskingRuleSet absent = everything is masked
     * @param maxLagSeconds absent = {@value RoleMaskings#MAX_LAG_DEFAULT_SECONDS}
     */
    record Declare(
            @Nullable String maskingRuleSet, @Nullable Integer maxLagSeconds) {}

    record All(List<View> maskedRoles) {}

    record One(View maskedRole) {}

    /**
     * A masked role.
     *
     * @param declaredBranchId the branch for which it was declared: this one, or one above
     * @param viewState of the view that a login would come to: none, making or open
     * @param dataAsOf the moment that it shows
     */
    record View(
            String branchId,
            String roleName,
            @Nullable String maskingRuleSet,
            int maxLagSeconds,
            String declaredBranchId,
            boolean inherited,
            String viewState,
            @Nullable Instant dataAsOf,
            @Nullable Instant viewOpenedAt,
            Instant createdAt,
            Instant updatedAt) {
        static View of(RoleMaskings.Declared declared) {
            return new View(
                    declared.branchId(),
                    declared.masking().roleName(),
                    declared.masking().ruleSet(),
                    declared.masking().maxLagSeconds(),
                    declared.masking().branchId(),
                    declared.isInherited(),
                    declared.state().name().toLowerCase(Locale.ROOT),
                    declared.asOf(),
                    declared.openedAt(),
                    declared.masking().createdAt(),
                    declared.masking().updatedAt());
        }
    }

    public void register(Routes routes) {
        routes.get(
                BRANCH + "/masked_roles",
                call -> Reply.ok(new All(maskings.all(call.project(), call.branch()).stream()
                        .map(View::of)
                        .toList())));
        routes.get(ROLE, call -> Reply.ok(new One(View.of(maskings.find(call.project(), call.branch(), call.name())))));
        routes.put(ROLE, this::declare);
        routes.delete(
                ROLE, call -> Reply.ok(new One(View.of(maskings.end(call.project(), call.branch(), call.name())))));
    }

    private Reply declare(Call call) throws IOException {
        Declare asked = call.body(Declare.class, () -> new Declare(null, null));
        return Reply.ok(new One(View.of(maskings.declare(
                call.project(),
                call.branch(),
                call.name(),
                asked.maskingRuleSet(),
                asked.maxLagSeconds() == null ? RoleMaskings.MAX_LAG_DEFAULT_SECONDS : asked.maxLagSeconds()))));
    }
}
