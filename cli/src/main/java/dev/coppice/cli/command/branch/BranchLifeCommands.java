package dev.coppice.cli.command.branch;

import static dev.coppice.cli.api.ApiClient.encode;
import static dev.coppice.cli.command.RootOptions.withSession;

import dev.coppice.cli.output.CliException;
import dev.coppice.cli.output.TableColumns;
import dev.coppice.cli.output.Times;
import java.time.Instant;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The commands about when a branch ends, whether it may, and its coming back. */
final class BranchLifeCommands {
    private BranchLifeCommands() {}

    private static int change(CommandSpec spec, String branch, ObjectNode body) {
        return withSession(spec, session -> {
            String path = session.branchPath(session.projectPath(), branch);
            session.output().object(session.api().patch(path, body).path("branch"), TableColumns.BRANCH);
            return 0;
        });
    }

    @Command(
            name = "set-expiration",
            description = "Set when a branch is deleted by itself; without a time it never is.",
            footerHeading = "%nExample:%n",
            footer = {
                "  coppice branches set-expiration preview-pr-142 7d",
                "  coppice branches set-expiration preview-pr-142 2026-11-28T00:00:00Z"
            })
    static final class SetExpiration implements Callable<Integer> {
        @Spec
        private CommandSpec spec = CommandSpec.create();

        @Parameters(index = "0", paramLabel = "BRANCH", description = "Its name or id.")
        private String branch = "";

        @Parameters(
                index = "1",
                arity = "0..1",
                paramLabel = "TIME",
                description = "How long from now, like 2h or 7d, or a time; at most 30 days ahead.")
        private @Nullable String time;

        @Override
        public Integer call() {
            ObjectNode body = JsonMapper.shared().createObjectNode();
            body.putObject("branch").put("expires_at", time == null ? null : Times.ahead(time, "TIME", Instant.now()));
            return change(spec, branch, body);
        }
    }

    /** Protects a branch, or no longer. */
    abstract static class Protection implements Callable<Integer> {
        private final boolean wanted;

        @Spec
        private CommandSpec spec = CommandSpec.create();

        @Parameters(paramLabel = "BRANCH", description = "Its name or id.")
        private String branch = "";

        Protection(boolean wanted) {
            this.wanted = wanted;
        }

        @Override
        public Integer call() {
            ObjectNode body = JsonMapper.shared().createObjectNode();
            body.putObject("branch").put("protected", wanted);
            return change(spec, branch, body);
        }
    }

    @Command(
            name = "protect",
            description =
                    "Protect a branch: it cannot be deleted, reset or restored, and what is made from it has passwords"
                            + " of its own.")
    static final class Protect extends Protection {
        Protect() {
            super(true);
        }
    }

    @Command(name = "unprotect", description = "End the protection of a branch.")
    static final class Unprotect extends Protection {
        Unprotect() {
            super(false);
        }
    }

    @Command(name = "recover", description = "Bring back a deleted branch with its data, address and passwords.")
    static final class Recover implements Callable<Integer> {
        @Spec
        private CommandSpec spec = CommandSpec.create();

        @Parameters(
                paramLabel = "BRANCH",
                description = "Its name or id; of several with the name, the last deleted one.")
        private String branch = "";

        @Override
        public Integer call() {
            return withSession(spec, session -> {
                String project = session.projectPath();
                JsonNode found = null;
                for (JsonNode candidate : session.api()
                        .get(project + "/branches?include_deleted=true")
                        .path("branches")) {
                    boolean meant = candidate.path("id").asString("").equals(branch)
                            || candidate.path("name").asString("").equals(branch);
                    if (meant && !candidate.path("recovery").isMissingNode() && isLater(candidate, found)) {
                        found = candidate;
                    }
                }
                if (found == null) {
                    throw new CliException(CliException.REFUSED, "there is no deleted branch \"" + branch + "\"", null);
                }
                String path = project + "/branches/" + encode(found.path("id").asString("")) + "/recover";
                session.output().object(session.api().post(path, null).path("branch"), TableColumns.BRANCH);
                return 0;
            });
        }

        private static boolean isLater(JsonNode candidate, @Nullable JsonNode found) {
            return found == null || deletedAt(candidate).compareTo(deletedAt(found)) > 0;
        }

        private static String deletedAt(JsonNode branch) {
            return branch.path("recovery").path("deleted_at").asString("");
        }
    }
}
