package dev.coppice.cli.command.project;

import static dev.coppice.cli.command.RootOptions.withSession;

import dev.coppice.cli.api.ApiClient;
import dev.coppice.cli.output.TableColumns;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

@Command(
        name = "operations",
        aliases = "operation",
        description = "List what the server did and does.",
        synopsisSubcommandLabel = "COMMAND",
        footerHeading = "%nExamples:%n",
        footer = {"  coppice operations list", "  coppice operations get ID"})
public final class OperationsCommand {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Command(name = "get", description = "Show an operation: how far it is, how it ended.")
    int get(@Parameters(paramLabel = "ID", description = "Its id.") String id) {
        return withSession(spec, session -> {
            JsonNode operation = session.api()
                    .get(session.projectPath() + "/operations/" + ApiClient.encode(id))
                    .path("operation");
            session.output().object(operation, TableColumns.OPERATIONS);
            return 0;
        });
    }

    @Command(name = "list", description = "List the operations, the newest first.")
    int list() {
        return withSession(spec, session -> {
            JsonNode operations =
                    session.api().get(session.projectPath() + "/operations").path("operations");
            session.output().list(operations, "There is no operation.", TableColumns.OPERATIONS);
            return 0;
        });
    }
}
