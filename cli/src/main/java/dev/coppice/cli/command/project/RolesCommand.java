package dev.coppice.cli.command.project;

import static dev.coppice.cli.api.ApiClient.encode;
import static dev.coppice.cli.command.RootOptions.withSession;

import dev.coppice.cli.command.BranchOption;
import dev.coppice.cli.output.Output.Column;
import dev.coppice.cli.output.TableColumns;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

@Command(
        name = "roles",
        aliases = "role",
        description = "List, create and delete roles, and reset their passwords.",
        synopsisSubcommandLabel = "COMMAND",
        footerHeading = "%nExamples:%n",
        footer = {
            "  coppice roles create --name reporting",
            "  coppice roles reset-password reporting --branch dev-alice"
        })
public final class RolesCommand {
    private static final List<Column> WITH_PASSWORD =
            List.of(Column.of("NAME", "name"), Column.of("PASSWORD", "password"));

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Command(name = "list", description = "List the roles of a branch.")
    int list(@Mixin BranchOption branch) {
        return withSession(spec, session -> {
            String path = session.branchPath(session.projectPath(), branch.name()) + "/roles";
            session.output().list(session.api().get(path).path("roles"), "There is no role.", TableColumns.ROLES);
            return 0;
        });
    }

    @Command(name = "create", description = "Create a role in a branch.")
    int create(
            @Option(names = "--name", required = true, paramLabel = "NAME", description = "Its name.") String name,
            @Option(names = "--no-login", description = "It holds privileges and cannot log in.") boolean noLogin,
            @Mixin BranchOption branch) {
        return withSession(spec, session -> {
            String path = session.branchPath(session.projectPath(), branch.name());
            ObjectNode body = JsonMapper.shared().createObjectNode();
            ObjectNode wanted = body.putObject("role").put("name", name);
            if (noLogin) {
                wanted.put("no_login", true);
            }
            JsonNode created =
                    session.finished(session.api().post(path + "/roles", body)).path("role");
            session.output().object(created, WITH_PASSWORD);
            return 0;
        });
    }

    @Command(name = "delete", description = "Delete a role of a branch.")
    int delete(@Parameters(paramLabel = "ROLE", description = "Its name.") String name, @Mixin BranchOption branch) {
        return withSession(spec, session -> {
            String path = session.branchPath(session.projectPath(), branch.name()) + "/roles/" + encode(name);
            JsonNode deleted = session.finished(session.api().delete(path)).path("role");
            if (session.output().isTable()) {
                session.output().line("Role " + name + " is deleted.");
            } else {
                session.output().tree(deleted);
            }
            return 0;
        });
    }

    @Command(name = "reset-password", description = "Give a role a new password, in one branch only; prints it.")
    int resetPassword(
            @Parameters(paramLabel = "ROLE", description = "Its name.") String name, @Mixin BranchOption branch) {
        return withSession(spec, session -> {
            String path = session.branchPath(session.projectPath(), branch.name()) + "/roles/" + encode(name);
            JsonNode role = session.finished(session.api().post(path + "/reset_password", null))
                    .path("role");
            session.output().object(role, WITH_PASSWORD);
            return 0;
        });
    }
}
