package dev.coppice.cli.command.masking;

import static dev.coppice.cli.api.ApiClient.encode;
import static dev.coppice.cli.command.RootOptions.withSession;

import dev.coppice.cli.command.BranchOption;
import dev.coppice.cli.output.CliException;
import dev.coppice.cli.output.Output.Column;
import dev.coppice.cli.output.Times;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

@Command(
        name = "role",
        description =
                "Let a role of a branch, and of the branches below it, see masked values only, read only. Its sessions end.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  coppice masking apply --rules rules.yaml",
            "  coppice masking role analyst --branch main --rules rules --max-lag 10m",
            "  coppice masking role analyst --branch main --off"
        })
final class MaskedRoleCommand implements Callable<Integer> {
    static final List<Column> COLUMNS = List.of(
            Column.of("ROLE", "role_name"),
            new Column("RULES", row -> row.path("masking_rule_set").asString("everything is masked")),
            new Column("MAX LAG", row -> Times.text(row.path("max_lag_seconds").asInt())),
            new Column("INHERITED", row -> row.path("inherited").asBoolean() ? "yes" : "no"),
            Column.of("VIEW", "view_state"),
            Column.of("DATA AS OF", "data_as_of"));

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "ROLE", description = "Its name.")
    private String role = "";

    @Mixin
    private BranchOption branch = new BranchOption();

    @Option(
            names = {"--rules", "--set", "--rule-set"},
            paramLabel = "NAME",
            description = "Rules that the project keeps under this name. Without: everything is masked.")
    private @Nullable String rules;

    @Option(
            names = "--max-lag",
            paramLabel = "TIME",
            description = "How long logins come to the same data: 30s, 5m, 2h or 1d. Default: 5m.")
    private @Nullable String maxLag;

    @Option(names = "--off", description = "Let the role see the branch itself again.")
    private boolean off;

    @Override
    public Integer call() {
        if (off && (rules != null || maxLag != null)) {
            throw new CliException(
                    CliException.USAGE, "--off takes neither --rules nor --max-lag", "give one or the other");
        }
        return withSession(spec, session -> {
            String path =
                    session.branchPath(session.projectPath(), branch.name()) + "/roles/" + encode(role) + "/masking";
            JsonNode masked = (off ? session.api().delete(path) : session.api().put(path, body())).path("masked_role");
            if (off && session.output().isTable()) {
                session.output()
                        .line(
                                masked.path("inherited").asBoolean()
                                        ? "Role " + role + " is still masked, by what is declared for a branch above."
                                        : "Role " + role + " sees the branch itself again.");
            } else {
                session.output().object(masked, COLUMNS);
            }
            return 0;
        });
    }

    private ObjectNode body() {
        ObjectNode body = JsonMapper.shared().createObjectNode();
        if (rules != null) {
            body.put("masking_rule_set", rules);
        }
        if (maxLag != null) {
            body.put("max_lag_seconds", Times.seconds(maxLag, "--max-lag"));
        }
        return body;
    }
}
