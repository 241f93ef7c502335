package dev.coppice.cli.command.project;

import dev.coppice.cli.api.ProjectContext;
import dev.coppice.cli.command.RootOptions;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

@Command(
        name = "set-context",
        description = "Remember a project and a branch for the commands in this directory and below, in the file "
                + ProjectContext.FILE + ". Without options everything is forgotten.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  coppice set-context --branch dev-alice",
            "  coppice set-context --project-id misty-fern-12345678 --branch staging",
            "  coppice set-context"
        })
public final class SetContextCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--branch", paramLabel = "BRANCH", description = "The branch that is meant when none is named.")
    private @Nullable String branch;

    @Override
    public Integer call() {
        Path file = RootOptions.contextFile(spec);
        String project = RootOptions.projectOption(spec);
        if (project == null && branch == null) {
            new ProjectContext(null, null).write(file);
            return 0;
        }
        return RootOptions.withSession(spec, session -> {
            // What does not exist is better refused now than by every later command.
            String path = session.projectPath();
            JsonNode found = branch == null ? null : session.branch(path, branch);
            String id = path.substring(path.lastIndexOf('/') + 1);
            new ProjectContext(id, branch).write(file);
            ObjectNode shown = JsonMapper.shared().createObjectNode().put("projectId", id);
            if (found != null) {
                shown.put("branch", branch);
            }
            if (session.output().isTable()) {
                session.output().line(file + " now says: project " + id + (branch == null ? "" : ", branch " + branch));
            } else {
                session.output().tree(shown);
            }
            return 0;
        });
    }
}
