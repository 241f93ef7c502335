package dev.coppice.cli.command.project;

import static dev.coppice.cli.api.ApiClient.encode;
import static dev.coppice.cli.command.RootOptions.withSession;

import dev.coppice.cli.output.CliException;
import dev.coppice.cli.output.TableColumns;
import dev.coppice.cli.output.Times;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

@Command(
        name = "projects",
        aliases = "project",
        description = "List, create, show, change and delete projects.",
        synopsisSubcommandLabel = "COMMAND",
        footerHeading = "%nExamples:%n",
        footer = {"  coppice projects list", "  coppice projects create --name shop"})
public final class ProjectsCommand {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Command(name = "list", description = "List the projects.")
    int list() {
        return withSession(spec, session -> {
            session.output().list(session.projects(), "There is no project.", TableColumns.PROJECTS);
            return 0;
        });
    }

    @Command(name = "create", description = "Create a project; prints the connection string of its branch main.")
    int create(
            @Option(names = "--name", required = true, paramLabel = "NAME", description = "Its name.") String name,
            @Option(names = "--database", paramLabel = "NAME", description = "The name of its first database.")
                    @Nullable
                    String database,
            @Option(names = "--role", paramLabel = "NAME", description = "The name of the role that owns it.") @Nullable
                    String role) {
        return withSession(spec, session -> {
            ObjectNode body = JsonMapper.shared().createObjectNode();
            ObjectNode project = body.putObject("project").put("name", name);
            if (database != null) {
                project.withObject("/branch").put("database_name", database);
            }
            if (role != null) {
                project.withObject("/branch").put("role_name", role);
            }
            JsonNode created = session.api().post("/projects", body);
            if (session.output().isTable()) {
                session.output().object(created.path("project"), TableColumns.PROJECTS);
                session.output()
                        .line("\n"
                                + created.path("connection_uris")
                                        .path(0)
                                        .path("connection_uri")
                                        .asString(""));
            } else {
                session.output().tree(created);
            }
            return 0;
        });
    }

    @Command(name = "get", description = "Show a project.")
    int get(@Parameters(paramLabel = "PROJECT", description = "Its name or id.") String id) {
        return withSession(spec, session -> {
            JsonNode project = session.api()
                    .get("/projects/" + encode(session.projectId(id)))
                    .path("project");
            session.output().object(project, TableColumns.PROJECT);
            return 0;
        });
    }

    @Command(name = "update", description = "Rename a project, or change how far back its branches can be restored.")
    int update(
            @Parameters(paramLabel = "PROJECT", description = "Its name or id.") String id,
            @Option(names = "--name", paramLabel = "NAME", description = "Its new name.") @Nullable String name,
            @Option(
                            names = {"--history-retention", "--history-retention-seconds"},
                            paramLabel = "DURATION",
                            description = "How long history is kept, up to 30d: " + Times.DURATION
                                    + ". Less frees space and cannot be taken back.")
                    @Nullable
                    String historyRetention) {
        ObjectNode body = JsonMapper.shared().createObjectNode();
        ObjectNode project = body.putObject("project");
        if (name != null) {
            project.put("name", name);
        }
        if (historyRetention != null) {
            project.put("history_retention_seconds", Times.seconds(historyRetention, "--history-retention"));
        }
        if (project.isEmpty()) {
            throw new CliException(CliException.USAGE, "nothing to change", "give --name or --history-retention");
        }
        return withSession(spec, session -> {
            JsonNode changed = session.api()
                    .patch("/projects/" + encode(session.projectId(id)), body)
                    .path("project");
            session.output().object(changed, TableColumns.PROJECT);
            return 0;
        });
    }

    @Command(
            name = "delete",
            description =
                    "Delete a project with all its branches. It can be recovered for as long as the server is told,"
                            + " seven days by default.")
    int delete(@Parameters(paramLabel = "PROJECT", description = "Its name or id.") String id) {
        return withSession(spec, session -> {
            JsonNode project = session.api()
                    .delete("/projects/" + encode(session.projectId(id)))
                    .path("project");
            session.output().object(project, TableColumns.PROJECTS);
            return 0;
        });
    }

    @Command(name = "recover", description = "Bring back a deleted project with its branches, addresses and passwords.")
    int recover(@Parameters(paramLabel = "ID", description = "Its id.") String id) {
        return withSession(spec, session -> {
            JsonNode project = session.api()
                    .post("/projects/" + encode(id) + "/recover", null)
                    .path("project");
            session.output().object(project, TableColumns.PROJECTS);
            return 0;
        });
    }
}
