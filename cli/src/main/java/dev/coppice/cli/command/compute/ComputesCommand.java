package dev.coppice.cli.command.compute;

import static dev.coppice.cli.api.ApiClient.encode;
import static dev.coppice.cli.command.RootOptions.withSession;

import dev.coppice.cli.api.Session;
import dev.coppice.cli.command.branch.BranchesCommand;
import dev.coppice.cli.output.CliException;
import dev.coppice.cli.output.Output.Column;
import dev.coppice.cli.output.Times;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

@Command(
        name = "computes",
        aliases = {"compute", "endpoints"},
        description = "List, suspend, wake, restart and change the computes of branches.",
        synopsisSubcommandLabel = "COMMAND",
        footerHeading = "%nExamples:%n",
        footer = {
            "  coppice computes list",
            "  coppice computes suspend dev-alice",
            "  coppice computes update dev-alice --size 2 --set work_mem=64MB"
        })
public final class ComputesCommand {
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

    @Command(name = "restart", description = "Stop a compute and start it again; connections are cut.")
    int restart(
            @Parameters(paramLabel = "BRANCH", description = "The branch or the compute, by name or id.") String of) {
        return change(of, "restart");
    }

    @Command(name = "update", description = "Change a compute's size, suspend time-out or Postgres parameters.")
    int update(
            @Parameters(paramLabel = "BRANCH", description = "The branch or the compute, by name or id.") String of,
            @Option(names = "--size", paramLabel = "UNITS", description = "Compute units: 1 is 1 CPU and 4 GB.")
                    @Nullable
                    Double size,
            @Option(
                            names = "--suspend-timeout",
                            paramLabel = "DURATION",
                            description = "Time without a query until it is suspended, " + Times.DURATION
                                    + "; or never, or default.")
                    @Nullable
                    String suspendTimeout,
            @Option(names = "--disabled", paramLabel = "true|false", description = "Whether connections are refused.")
                    @Nullable
                    Boolean disabled,
            @Option(
                            names = "--set",
                            paramLabel = "NAME=VALUE",
                            description = "A parameter of postgresql.conf; those not given are taken away.")
                    @Nullable
                    Map<String, String> parameters) {
        ObjectNode body = JsonMapper.shared().createObjectNode();
        ObjectNode wanted = body.putObject("endpoint");
        if (size != null) {
            wanted.put("autoscaling_limit_min_cu", size).put("autoscaling_limit_max_cu", size);
        }
        if (suspendTimeout != null) {
            wanted.put("suspend_timeout_seconds", Times.suspendSeconds(suspendTimeout, "--suspend-timeout"));
        }
        if (disabled != null) {
            wanted.put("disabled", disabled);
        }
        if (parameters != null) {
            ObjectNode settings = wanted.withObject("/settings/pg_settings");
            parameters.forEach(settings::put);
        }
        if (wanted.isEmpty()) {
            throw new CliException(
                    CliException.USAGE, "nothing to change", "give --size, --suspend-timeout, --disabled or --set");
        }
        return changed(of, path -> session -> session.api().patch(path, body));
    }

    private int change(String of, String verb) {
        return changed(of, path -> session -> session.api().post(path + "/" + verb, null));
    }

    private int changed(String of, Function<String, Function<Session, JsonNode>> request) {
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
            var _ = session.finished(request.apply(path).apply(session));
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
                Column.time("LAST ACTIVE", "last_active"));
    }

    /** Neon's numbers in words: 0 = what the server's configuration says. */
    private static String suspendAfter(int seconds) {
        return switch (seconds) {
            case 0 -> "default";
            case -1 -> "never";
            default -> Times.text(seconds);
        };
    }
}
