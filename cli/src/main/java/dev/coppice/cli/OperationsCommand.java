package dev.coppice.cli;

import static dev.coppice.cli.CoppiceCommand.withSession;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

@Command(
        name = "operations",
        aliases = "operation",
        description = "List what the server did and does.",
        synopsisSubcommandLabel = "COMMAND",
        footerHeading = "%nExamples:%n",
        footer = {"  coppice operations list"})
final class OperationsCommand {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Command(name = "list", description = "List the operations, the newest first.")
    int list() {
        return withSession(spec, session -> {
            JsonNode operations =
                    session.api().get(session.projectPath() + "/operations").path("operations");
            session.output().list(operations, "There is no operation.", Nouns.OPERATIONS);
            return 0;
        });
    }
}
