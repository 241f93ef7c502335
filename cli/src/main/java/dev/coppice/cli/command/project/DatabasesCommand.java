package dev.coppice.cli.command.project;

import static dev.coppice.cli.api.ApiClient.encode;
import static dev.coppice.cli.command.RootOptions.withSession;

import dev.coppice.cli.api.Session;
import dev.coppice.cli.command.BranchOption;
import dev.coppice.cli.output.CliException;
import dev.coppice.cli.output.TableColumns;
import org.jspecify.annotations.Nullable;
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
        name = "databases",
        aliases = {"database", "db"},
        description = "List, create and delete databases.",
        synopsisSubcommandLabel = "COMMAND",
        footerHeading = "%nExamples:%n",
        footer = {
            "  coppice databases create --name shop --owner-name coppice_owner",
            "  coppice databases list --branch dev-alice"
        })
public final class DatabasesCommand {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Command(name = "list", description = "List the databases of a branch.")
    int list(@Mixin BranchOption branch) {
        return withSession(spec, session -> {
            String path = session.branchPath(session.projectPath(), branch.name()) + "/databases";
            session.output()
                    .list(session.api().get(path).path("databases"), "There is no database.", TableColumns.DATABASES);
            return 0;
        });
    }

    @Command(name = "create", description = "Create a database in a branch.")
    int create(
            @Option(names = "--name", required = true, paramLabel = "NAME", description = "Its name.") String name,
            @Option(
                            names = "--owner-name",
                            paramLabel = "ROLE",
                            description = "The role that owns it. Default: the owner of the branch's first database.")
                    @Nullable
                    String owner,
            @Mixin BranchOption branch) {
        return withSession(spec, session -> {
            String path = session.branchPath(session.projectPath(), branch.name());
            ObjectNode body = JsonMapper.shared().createObjectNode();
            ObjectNode wanted = body.putObject("database").put("name", name);
            wanted.put("owner_name", owner != null ? owner : firstOwner(session, path));
            JsonNode created = session.finished(session.api().post(path + "/databases", body))
                    .path("database");
            session.output().object(created, TableColumns.DATABASES);
            return 0;
        });
    }

    @Command(name = "delete", description = "Delete a database of a branch.")
    int delete(
            @Parameters(paramLabel = "DATABASE", description = "Its name.") String name, @Mixin BranchOption branch) {
        return withSession(spec, session -> {
            String path = session.branchPath(session.projectPath(), branch.name()) + "/databases/" + encode(name);
            JsonNode deleted = session.finished(session.api().delete(path)).path("database");
            if (session.output().isTable()) {
                session.output().line("Database " + name + " is deleted.");
            } else {
                session.output().tree(deleted);
            }
            return 0;
        });
    }

    private static String firstOwner(Session session, String branchPath) {
        JsonNode databases = session.api().get(branchPath + "/databases").path("databases");
        if (databases.isEmpty()) {
            throw new CliException(CliException.USAGE, "no role to own the database", "pass --owner-name");
        }
        return databases.get(0).path("owner_name").asString("");
    }
}
