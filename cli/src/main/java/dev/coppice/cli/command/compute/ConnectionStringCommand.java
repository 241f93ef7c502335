package dev.coppice.cli.command.compute;

import static dev.coppice.cli.command.RootOptions.withSession;

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
        name = "connection-string",
        aliases = "cs",
        description = "Print the connection string of a branch, or of a past moment of it (read-only).",
        footerHeading = "%nExamples:%n",
        footer = {
            "  coppice connection-string dev-alice",
            "  coppice connection-string main@2026-11-21T09:30:00Z",
            "  coppice connection-string \"main@10m ago\" --format jdbc",
            "  DATABASE_URL=$(coppice cs dev-alice --role-name reporting)"
        })
public final class ConnectionStringCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(
            arity = "0..1",
            paramLabel = "BRANCH[@POINT]",
            description =
                    "The branch, by name or id. Default: the default branch. POINT is an LSN or a time in its past.")
    private @Nullable String branch;

    @Option(names = "--database-name", paramLabel = "NAME", description = "The database. Default: the branch's first.")
    private @Nullable String database;

    @Option(names = "--role-name", paramLabel = "NAME", description = "The role. Default: the owner of the database.")
    private @Nullable String role;

    @Option(names = "--pooled", description = "Through the branch's pool: for many short-lived clients.")
    private boolean pooled;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "uri",
            description = "${COMPLETION-CANDIDATES}. Default: uri. env is for eval \"$(...)\" in a shell.")
    private ConnectionFormat format = ConnectionFormat.uri;

    @Override
    public Integer call() {
        BranchAt wanted = BranchAt.parse(branch);
        if (pooled && wanted.moment() != null) {
            throw new CliException(CliException.USAGE, "a past moment has no pool", "leave out --pooled or the moment");
        }
        return withSession(spec, session -> {
            JsonNode uri = pooled
                    ? session.connectionUri(
                            session.projectPath(),
                            session.branch(session.projectPath(), wanted.branch()),
                            database,
                            role,
                            true)
                    : wanted.connectionUri(session, session.projectPath(), database, role);
            if (session.output().isTable()) {
                session.output().line(format.of(uri.path("uri").asString("")));
            } else {
                session.output().tree(uri);
            }
            return 0;
        });
    }
}
