package dev.coppice.control.api.branch;

import dev.coppice.control.api.server.Call;
import dev.coppice.control.api.server.Lookup;
import dev.coppice.control.api.server.Reply;
import dev.coppice.control.api.server.Routes;
import dev.coppice.control.api.view.Bodies;
import dev.coppice.control.api.view.ViewMaker;
import dev.coppice.control.api.view.Views;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.role.RoleWorkflows;
import dev.coppice.control.sql.RoleRight;
import java.io.IOException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Roles and databases of a branch, and strings to connect with. */
public final class RoleRoutes {
    private static final String ROLES = "/projects/{project}/branches/{branch}/roles";
    private static final String DATABASES = "/projects/{project}/branches/{branch}/databases";

    private final Lookup lookup;
    private final RoleWorkflows roles;
    private final ViewMaker views;

    public RoleRoutes(Lookup lookup, RoleWorkflows roles, ViewMaker views) {
        this.lookup = lookup;
        this.roles = roles;
        this.views = views;
    }

    public void register(Routes routes) {
        routes.secret(ROLES + "/{name}/reveal_password", "/projects/{project}/connection_uri");
        routes.get(
                ROLES,
                call -> Reply.ok(new Views.Roles(roles.roles(call.project(), call.branch()).stream()
                        .map(role -> views.role(role, null))
                        .toList())));
        routes.post(ROLES, this::createRole);
        routes.get(
                ROLES + "/{name}",
                call -> Reply.ok(
                        new Views.OneRole(views.role(roles.role(call.project(), call.branch(), call.name()), null))));
        routes.delete(
                ROLES + "/{name}",
                call -> Reply.ok(new Views.ChangedRole(
                        views.role(roles.delete(call.project(), call.branch(), call.name()), null), List.of())));
        routes.get(
                ROLES + "/{name}/reveal_password",
                call -> Reply.ok(new Views.Password(roles.reveal(call.project(), call.branch(), call.name()))));
        routes.post(ROLES + "/{name}/reset_password", call -> {
            RoleWorkflows.WithPassword reset = roles.resetPassword(call.project(), call.branch(), call.name());
            return Reply.ok(changed(reset));
        });
        routes.get(
                DATABASES,
                call -> Reply.ok(new Views.Databases(roles.databases(call.project(), call.branch()).stream()
                        .map(views::database)
                        .toList())));
        routes.post(DATABASES, this::createDatabase);
        routes.get(
                DATABASES + "/{name}",
                call -> Reply.ok(new Views.OneDatabase(
                        views.database(roles.database(call.project(), call.branch(), call.name())))));
        routes.delete(
                DATABASES + "/{name}",
                call -> Reply.ok(new Views.ChangedDatabase(
                        views.database(roles.deleteDatabase(call.project(), call.branch(), call.name())), List.of())));
        routes.patch(DATABASES + "/{name}", this::updateDatabase);
        routes.get("/projects/{project}/connection_uri", this::connectionUri);
    }

    private Reply createRole(Call call) throws IOException {
        Bodies.NewRole asked = call.body(Bodies.CreateRole.class).role();
        if (asked == null || asked.name() == null) {
            throw ControlException.invalid("role.name: is missing");
        }
        return Reply.created(changed(
                Boolean.TRUE.equals(asked.noLogin())
                        ? roles.createWithoutLogin(call.project(), call.branch(), asked.name())
                        : roles.create(call.project(), call.branch(), asked.name(), rights(asked.rights()))));
    }

    /** None unless asked for: a role is a plain one that can log in. */
    private static Set<RoleRight> rights(@Nullable List<@Nullable String> asked) {
        Set<RoleRight> rights = EnumSet.noneOf(RoleRight.class);
        for (String text : asked == null ? List.<String>of() : asked) {
            rights.add(Optional.ofNullable(text)
                    .flatMap(RoleRight::of)
                    .orElseThrow(() -> ControlException.invalid("role.rights: \"" + text + "\" is none of "
                            + Arrays.stream(RoleRight.values())
                                    .map(RoleRight::text)
                                    .collect(Collectors.joining(", ")))));
        }
        return rights;
    }

    private Views.ChangedRole changed(RoleWorkflows.WithPassword made) {
        return new Views.ChangedRole(
                views.role(made.role(), made.password()), List.of(views.operation(made.operation())));
    }

    private Reply createDatabase(Call call) throws IOException {
        Bodies.NewDatabase asked = call.body(Bodies.CreateDatabase.class).database();
        if (asked == null || asked.name() == null) {
            throw ControlException.invalid("database.name: is missing");
        }
        if (asked.ownerName() == null) {
            throw ControlException.invalid("database.owner_name: is missing");
        }
        return Reply.created(new Views.ChangedDatabase(
                views.database(roles.createDatabase(call.project(), call.branch(), asked.name(), asked.ownerName())),
                List.of()));
    }

    private Reply updateDatabase(Call call) throws IOException {
        Bodies.NewDatabase asked = call.body(Bodies.UpdateDatabase.class).database();
        if (asked == null) {
            throw ControlException.invalid("database: is missing");
        }
        return Reply.ok(new Views.ChangedDatabase(
                views.database(roles.updateDatabase(
                        call.project(), call.branch(), call.name(), asked.name(), asked.ownerName())),
                List.of()));
    }

    private Reply connectionUri(Call call) {
        String database = call.requiredQuery("database_name");
        String role = call.requiredQuery("role_name");
        String branchId = call.query("branch_id");
        String endpointId = call.query("endpoint_id");
        Endpoint endpoint;
        if (endpointId != null) {
            endpoint = lookup.endpoint(call, endpointId);
        } else {
            Branch branch = branchId == null ? lookup.defaultBranch(call) : lookup.branch(call, branchId);
            endpoint = lookup.endpointOf(branch);
        }
        roles.database(endpoint.projectId(), endpoint.branchId(), database);
        String password = roles.reveal(endpoint.projectId(), endpoint.branchId(), role);
        return Reply.ok(new Views.Uri(views.connectionUri(endpoint, database, role, password, call.flag("pooled"))
                .connectionUri()));
    }
}
