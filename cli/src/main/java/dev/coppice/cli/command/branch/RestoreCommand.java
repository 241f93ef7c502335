package dev.coppice.cli.command.branch;

import static dev.coppice.cli.command.RootOptions.withSession;

import dev.coppice.cli.api.Session;
import dev.coppice.cli.command.BranchAt;
import dev.coppice.cli.output.CliException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

@Command(
        name = "restore",
        description =
                "Replace a branch's data by a point of its own past (^self@POINT), of its parent's (^parent[@POINT])"
                        + " or of another branch's (BRANCH[@POINT]). Its address and passwords stay; whoever is connected is"
                        + " disconnected.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  coppice branches restore main ^self@2026-11-21T09:30:00Z --preserve-under-name main-broken",
            "  coppice branches restore staging main@0/16B3748"
        })
final class RestoreCommand implements Callable<Integer> {
    private static final String SELF = "^self";
    private static final String PARENT = "^parent";

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(index = "0", paramLabel = "BRANCH", description = "The branch to change, by name or id.")
    private String branch = "";

    @Parameters(
            index = "1",
            paramLabel = "SOURCE",
            description = "A branch, ^self or ^parent, perhaps with @ and an LSN (0/16B3748) or a time"
                    + " (2026-11-21T09:30:00Z). ^self needs a point and --preserve-under-name.")
    private String source = "";

    @Option(names = "--preserve-under-name", paramLabel = "NAME", description = Restoring.PRESERVE)
    private @Nullable String preserve;

    @Override
    public Integer call() {
        BranchAt from = BranchAt.parse(source);
        if (SELF.equals(from.branch())) {
            checkSelf(from);
        }
        return withSession(spec, session -> {
            String project = session.projectPath();
            JsonNode target = session.branch(project, branch);
            return Restoring.send(
                    session, project, target, found(session, project, target, from), from.moment(), preserve);
        });
    }

    private void checkSelf(BranchAt from) {
        if (from.moment() == null) {
            throw new CliException(
                    CliException.USAGE,
                    "^self needs a point to go back to",
                    "write ^self@2026-11-21T09:30:00Z, or ^self@0/16B3748");
        }
        if (preserve == null) {
            throw new CliException(
                    CliException.USAGE,
                    "a restore from ^self needs --preserve-under-name",
                    "what the branch is now is kept under that name; delete it when it is not wanted");
        }
    }

    private static JsonNode found(Session session, String project, JsonNode target, BranchAt from) {
        if (SELF.equals(from.branch())) {
            return target;
        }
        return PARENT.equals(from.branch())
                ? Restoring.parentOf(session, project, target)
                : session.branch(project, from.branch());
    }
}
