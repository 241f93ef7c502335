package dev.coppice.cli.command.branch;

import static dev.coppice.cli.api.ApiClient.encode;
import static dev.coppice.cli.command.RootOptions.withSession;

import dev.coppice.cli.api.Session;
import dev.coppice.cli.command.BranchAt;
import dev.coppice.cli.command.PointInTime;
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
        name = "schema-diff",
        aliases = "diff",
        description = "Show how the schema of a branch differs from another one's, or from what it was.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  coppice branches schema-diff main dev-alice",
            "  coppice branches schema-diff dev-alice@2026-11-21T09:30:00Z dev-alice --database shop"
        })
final class SchemaDiffCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(
            index = "0",
            paramLabel = "BASE",
            description = "The branch to compare with, perhaps with @ and an LSN or a time.")
    private String base = "";

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "BRANCH",
            description = "The branch, perhaps with @ and a point. Default: the default branch.")
    private @Nullable String branch;

    @Option(
            names = {"--database", "--db"},
            paramLabel = "NAME",
            description = "Default: every database of the branch.")
    private @Nullable String database;

    @Option(names = "--exit-code", description = "Exit with 1 when there is a difference, as diff does.")
    private boolean exitCode;

    @Override
    public Integer call() {
        BranchAt before = BranchAt.parse(base);
        BranchAt after = BranchAt.parse(branch);
        return withSession(spec, session -> {
            String project = session.projectPath();
            String path = session.branchPath(project, after.branch());
            String query = "&base_branch_id="
                    + encode(session.branch(project, before.branch()).path("id").asString(""))
                    + point("&base_", before.moment())
                    + point("&", after.moment());
            if (database != null) {
                return code(show(session, path, query, database));
            }
            boolean differs = false;
            for (JsonNode found : session.api().get(path + "/databases").path("databases")) {
                differs |= show(session, path, query, found.path("name").asString(""));
            }
            if (!differs && session.output().isTable()) {
                session.output().line("The schemas are the same.");
            }
            return code(differs);
        });
    }

    private static String point(String prefix, @Nullable PointInTime moment) {
        return moment == null ? "" : prefix + moment.kind() + "=" + encode(moment.text());
    }

    private int code(boolean differs) {
        return exitCode && differs ? CliException.REFUSED : 0;
    }

    /** Whether there is a difference. */
    private static boolean show(Session session, String path, String query, String database) {
        JsonNode answer = session.api().get(path + "/compare_schema?db_name=" + encode(database) + query);
        String diff = answer.path("diff").asString("");
        if (!session.output().isTable()) {
            session.output().tree(answer);
        } else if (!diff.isEmpty()) {
            session.output().line("Database: " + database + "\n" + diff);
        }
        return !diff.isEmpty();
    }
}
