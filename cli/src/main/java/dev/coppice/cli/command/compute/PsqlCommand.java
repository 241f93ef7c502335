package dev.coppice.cli.command.compute;

import static dev.coppice.cli.command.RootOptions.withSession;

import dev.coppice.cli.command.BranchAt;
import dev.coppice.cli.output.CliException;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

@Command(
        name = "psql",
        description =
                "Run psql on a branch, or on a past moment of it (read-only). What follows -- goes to psql as it is.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  coppice psql",
            "  coppice psql dev-alice -- -c 'select count(*) from orders'",
            "  coppice psql main@2026-11-21T09:30:00Z"
        })
public final class PsqlCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(
            index = "0..*",
            arity = "0..*",
            paramLabel = "BRANCH[@POINT]",
            description =
                    "The branch, by name or id (default: the default branch), with @ and an LSN or a time to see its"
                            + " past; then -- and psql's own arguments.")
    private List<String> words = new ArrayList<>();

    @Option(names = "--database-name", paramLabel = "NAME", description = "The database. Default: the branch's first.")
    private @Nullable String database;

    @Option(names = "--role-name", paramLabel = "NAME", description = "The role. Default: the owner of the database.")
    private @Nullable String role;

    @Override
    public Integer call() {
        List<String> given = spec.commandLine().getParseResult().originalArgs();
        int dashes = given.indexOf("--");
        int forPsql = dashes < 0 ? 0 : given.size() - dashes - 1;
        List<String> before = words.subList(0, words.size() - forPsql);
        if (before.size() > 1) {
            throw new CliException(
                    CliException.USAGE,
                    "psql takes one branch, not \"" + String.join("\", \"", before) + "\"",
                    "write psql's own arguments after --: coppice psql " + before.getFirst() + " -- -c 'select 1'");
        }
        String branch = before.isEmpty() ? null : before.getFirst();
        BranchAt wanted = BranchAt.parse(branch);
        List<String> arguments = words.subList(words.size() - forPsql, words.size());
        return withSession(spec, session -> {
            Path psql = find(session.environment());
            JsonNode uri = wanted.connectionUri(session, session.projectPath(), database, role);
            return run(psql, uri.path("uri").asString(""), arguments);
        });
    }

    private static Path find(Map<String, String> environment) {
        for (String directory : environment.getOrDefault("PATH", "").split(":")) {
            Path candidate = Path.of(directory, "psql");
            if (Files.isExecutable(candidate) && !Files.isDirectory(candidate)) {
                return candidate;
            }
        }
        throw new CliException(
                CliException.USAGE,
                "psql is not installed",
                "Debian and Ubuntu: apt-get install postgresql-client; Fedora: dnf install postgresql; Alpine: apk add"
                        + " postgresql-client. Any other client takes the string of: coppice connection-string");
    }

    /** The password travels in the environment: other users of the machine can read a command line. */
    private static int run(Path psql, String uri, List<String> arguments) {
        Login login = Login.of(uri);
        List<String> command = new ArrayList<>(List.of(psql.toString(), login.uri()));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
        if (login.password() != null) {
            builder.environment().put("PGPASSWORD", login.password());
        }
        try {
            Process process = builder.start();
            // Ctrl-C reaches this process too, but is psql's to act on: stay until psql has ended.
            Thread stay = new Thread(() -> Runtime.getRuntime().halt(await(process)));
            Runtime.getRuntime().addShutdownHook(stay);
            int code = await(process);
            try {
                Runtime.getRuntime().removeShutdownHook(stay);
            } catch (IllegalStateException shuttingDown) {
                return code;
            }
            return code;
        } catch (IOException e) {
            throw new CliException(CliException.REFUSED, "cannot run " + psql + ": " + e.getMessage(), null);
        }
    }

    private static int await(Process process) {
        while (true) {
            try {
                return process.waitFor();
            } catch (InterruptedException e) {
                // Nobody interrupts this thread for a reason that psql's user would share.
            }
        }
    }

    /** A connection string without its password, and the password. */
    record Login(String uri, @Nullable String password) {
        static Login of(String uri) {
            int start = uri.indexOf("://") + 3;
            int at = uri.indexOf('@', start);
            int colon = uri.indexOf(':', start);
            if (start < 3 || at < 0 || colon < 0 || colon > at) {
                return new Login(uri, null);
            }
            // A + in a connection string is a plus sign, unlike in a web form.
            String password = uri.substring(colon + 1, at).replace("+", "%2B");
            return new Login(
                    uri.substring(0, colon) + uri.substring(at), URLDecoder.decode(password, StandardCharsets.UTF_8));
        }
    }
}
