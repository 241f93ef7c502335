package dev.coppice.cli.command.branch;

import static dev.coppice.cli.command.RootOptions.withSession;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

@Command(
        name = "reset",
        description = "Replace a branch's data by its parent's present data. Its address and passwords stay; whoever is"
                + " connected is disconnected.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  coppice branches reset staging --parent",
            "  coppice branches reset staging --parent --preserve-under-name staging-before"
        })
final class ResetCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "BRANCH", description = "Its name or id.")
    private String branch = "";

    @Option(names = "--parent", required = true, description = "Take the parent's data: there is no other source.")
    @SuppressWarnings("UnusedVariable") // must be said, as with neonctl
    private boolean fromParent;

    @Option(names = "--preserve-under-name", paramLabel = "NAME", description = Restoring.PRESERVE)
    private @Nullable String preserve;

    @Override
    public Integer call() {
        return withSession(spec, session -> {
            String project = session.projectPath();
            JsonNode target = session.branch(project, branch);
            return Restoring.send(
                    session, project, target, Restoring.parentOf(session, project, target), null, preserve);
        });
    }
}
