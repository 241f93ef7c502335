package dev.coppice.cli;

import static dev.coppice.cli.ApiClient.encode;
import static dev.coppice.cli.CoppiceCommand.withSession;

import dev.coppice.cli.Output.Column;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

@Command(
        name = "computes",
        aliases = {"compute", "endpoints"},
        description = "List, suspend and wake the computes of branches.",
        synopsisSubcommandLabel = "COMMAND",
        footerHeading = "%nExamples:%n",
        footer = {"  coppice computes list", "  coppice computes suspend dev-alice"})
final class ComputesCommand {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Command(
            name = "list",
            description = "List the computes: active ones run a Postgres, idle ones wake when connected to.")
    int list() {
        return withSession(spec, session -> {
            String project = session.projectPath();
            JsonNode branches = session.branches(project);
            JsonNode endpoints = session.api().get(project + "/endpoints").path("endpoints");
            session.output().list(endpoints, "There is no compute.", columns(branches));
            return 0;
        });
    }

    @Command(name = "suspend", description = "Stop a compute now. The next connection wakes it.")
    int suspend(
            @Parameters(paramLabel = "BRANCH", description = "The branch or the compute, by name or id.") String of) {
        return change(of, "suspend");
    }

    @Command(name = "wake", description = "Start a compute now, before somebody connects.")
    int wake(@Parameters(paramLabel = "BRANCH", description = "The branch or the compute, by name or id.") String of) {
        return change(of, "start");
    }

    private int change(String of, String verb) {
        return withSession(spec, session -> {
            String project = session.projectPath();
            String id = of;
            if (!of.startsWith("ep-")) {
                JsonNode branch = session.branch(project, of);
                JsonNode endpoints = session.api()
                        .get(Session.path(project, branch) + "/endpoints")
                        .path("endpoints");
                if (endpoints.isEmpty()) {
                    throw new CliException(CliException.REFUSED, "the branch \"" + of + "\" has no compute", null);
                }
                id = endpoints.get(0).path("id").asString("");
            }
            String path = project + "/endpoints/" + encode(id);
            session.finished(session.api().post(path + "/" + verb, null));
            JsonNode changed = session.api().get(path);
            JsonNode branches = session.output().isTable() ? session.branches(project) : changed;
            session.output().object(changed.path("endpoint"), columns(branches));
            return 0;
        });
    }

    private static List<Column> columns(JsonNode branches) {
        return List.of(
                new Column(
                        "BRANCH",
                        row -> BranchesCommand.nameOf(
                                branches, row.path("branch_id").asString(""))),
                Column.of("ID", "id"),
                Column.of("STATE", "current_state"),
                new Column(
                        "SUSPEND AFTER",
                        row -> suspendAfter(row.path("suspend_timeout_seconds").asInt(0))),
                Column.of("LAST ACTIVE", "last_active"));
    }

    /** Neon's numbers in words: 0 = what the server's configuration says. */
    private static String suspendAfter(int seconds) {
        return switch (seconds) {
            case 0 -> "default";
            case -1 -> "never";
            default -> seconds + " s";
        };
    }
}
