package dev.coppice.cli.command.masking;

import static dev.coppice.cli.api.ApiClient.encode;
import static dev.coppice.cli.command.RootOptions.withSession;

import dev.coppice.cli.api.Session;
import dev.coppice.cli.command.BranchOption;
import dev.coppice.cli.output.CliException;
import dev.coppice.cli.output.Output.Column;
import dev.coppice.cli.rules.RuleFile;
import dev.coppice.cli.rules.RuleFileText;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

@Command(
        name = "masking",
        description = "Say what anonymized branches and masked roles do not show: find it, try it, apply it.",
        subcommands = MaskedRoleCommand.class,
        synopsisSubcommandLabel = "COMMAND",
        footerHeading = "%nExamples:%n",
        footer = {
            "  coppice masking suggest --as-rules > rules.yaml",
            "  coppice masking test --rules rules.yaml",
            "  coppice branches create --name dev --anonymized --rules rules.yaml",
            "  coppice masking apply --rules rules.yaml --branch dev",
            "  coppice masking role analyst --branch main --rules rules --max-lag 10m"
        })
public final class MaskingCommand {
    private static final String SETS = "/masking_rule_sets";

    private static final List<Column> SET = List.of(
            Column.of("NAME", "name"),
            Column.of("UNLISTED", "masking_policy"),
            new Column(
                    "RULES", row -> Integer.toString(row.path("masking_rules").size())),
            Column.time("UPDATED", "updated_at"));

    private static final List<Column> RULES = List.of(
            new Column("COLUMN", MaskingCommand::column),
            Column.of("PATH", "path"),
            new Column(
                    "FUNCTION",
                    row -> row.has("masking_value")
                            ? "value(" + row.path("masking_value").asString("") + ")"
                            : row.path("masking_function").asString("")),
            Column.of("WHEN", "when"));

    private static final List<Column> STATUS = List.of(
            Column.of("STATE", "state"), Column.of("MESSAGE", "status_message"), Column.time("UPDATED", "updated_at"));

    private static final List<Column> TESTED = List.of(
            Column.of("TABLE", "table"),
            Column.of("ROW", "row"),
            Column.of("COLUMN", "column"),
            Column.of("BEFORE", "before"),
            Column.of("AFTER", "after"));

    private static final List<Column> SUGGESTED = List.of(
            new Column("COLUMN", MaskingCommand::column),
            Column.of("PATH", "path"),
            Column.of("SURE", "certainty"),
            new Column("FUNCTION", row -> row.path("masking_function").asString("none fits")),
            Column.of("WHY", "reason"));

    @Spec
    private CommandSpec spec = CommandSpec.create();

    private static String column(JsonNode rule) {
        return rule.path("database_name").asString("") + "."
                + rule.path("schema_name").asString("") + "."
                + rule.path("table_name").asString("") + "."
                + rule.path("column_name").asString("");
    }

    @Command(
            name = "apply",
            description =
                    "Give an anonymized branch other rules, and its parent's present data under them. What was written"
                            + " in the branch is lost. Without --branch: store the file's rules in the project.")
    int apply(
            @Mixin RuleOptions rules,
            @Option(names = "--branch", paramLabel = "BRANCH", description = "The branch, by name or id.") @Nullable
                    String branch) {
        return withSession(spec, session -> branch == null ? store(session, rules) : anonymize(session, rules, branch));
    }

    private static int store(Session session, RuleOptions options) {
        if (options.file() == null) {
            throw new CliException(CliException.USAGE, "no rules are named", "pass --rules FILE");
        }
        RuleFile file = RuleFile.read(options.file());
        List<RuleFile.RuleSet> chosen = options.set() == null ? file.sets() : List.of(file.set(options.set()));
        ArrayNode stored = JsonMapper.shared().createArrayNode();
        for (RuleFile.RuleSet set : chosen) {
            try {
                stored.add(session.api()
                        .put(session.projectPath() + SETS + "/" + encode(set.name()), set.body())
                        .path("masking_rule_set"));
            } catch (CliException e) {
                throw e.exitCode() == CliException.REFUSED ? file.located(e, set) : e;
            }
        }
        session.output().list(stored, "The file has no rules.", SET);
        return 0;
    }

    private static int anonymize(Session session, RuleOptions options, String branch) {
        String path = session.branchPath(session.projectPath(), branch);
        JsonNode status = options.with(rules -> {
            session.api().patch(path + "/masking_rules", rules);
            return session.api().post(path + "/anonymize", null);
        });
        session.output().object(status, STATUS);
        return 0;
    }

    @Command(
            name = "show",
            description =
                    "Show the rules of an anonymized branch and its state, the masked roles of a branch, a stored set, or"
                            + " all stored sets.")
    int show(
            @Option(names = "--branch", paramLabel = "BRANCH", description = "The branch, by name or id.") @Nullable
                    String branch,
            @Option(
                            names = {"--set", "--rule-set"},
                            paramLabel = "NAME",
                            description = "A set that the project keeps.")
                    @Nullable
                    String set,
            @Option(names = "--as-rules", description = "As a rule file.") boolean asRules) {
        return withSession(spec, session -> {
            if (branch == null && set == null) {
                JsonNode all = session.api().get(session.projectPath() + SETS).path("masking_rule_sets");
                session.output().list(all, "The project keeps no rules.", SET);
                return 0;
            }
            if (branch != null && !asRules) {
                return show(session, session.branchPath(session.projectPath(), branch));
            }
            JsonNode rules = branch == null
                    ? session.api()
                            .get(session.projectPath() + SETS + "/" + encode(String.valueOf(set)))
                            .path("masking_rule_set")
                    : session.api().get(session.branchPath(session.projectPath(), branch) + "/masking_rules");
            if (asRules) {
                session.output()
                        .line(RuleFileText.of(set == null ? "rules" : set, rules)
                                .stripTrailing());
                return 0;
            }
            if (!session.output().isTable()) {
                session.output().tree(rules);
                return 0;
            }
            show(session, rules);
            return 0;
        });
    }

    private static void show(Session session, JsonNode rules) {
        session.output().line("UNLISTED  " + rules.path("masking_policy").asString("") + "\n");
        session.output().list(rules.path("masking_rules"), "There is no rule.", RULES);
    }

    /** An ordinary branch with masked roles has no rules of its own. */
    private static int show(Session session, String path) {
        JsonNode roles = session.api().get(path + "/masked_roles").path("masked_roles");
        JsonNode rules;
        try {
            rules = session.api().get(path + "/masking_rules");
        } catch (CliException e) {
            if (roles.isEmpty() || e.exitCode() != CliException.REFUSED) {
                throw e;
            }
            rules = JsonMapper.shared().createObjectNode();
        }
        if (!session.output().isTable()) {
            session.output().tree(((ObjectNode) rules.deepCopy()).set("masked_roles", roles));
            return 0;
        }
        if (!rules.isEmpty()) {
            session.output().object(session.api().get(path + "/anonymized_status"), STATUS);
            show(session, rules);
        }
        if (!roles.isEmpty()) {
            session.output().list(roles, "", MaskedRoleCommand.COLUMNS);
        }
        return 0;
    }

    @Command(
            name = "delete",
            description = "Delete a stored set of rules. Branches that were made with it keep theirs.")
    int delete(@Parameters(paramLabel = "NAME", description = "Its name.") String name) {
        return withSession(spec, session -> {
            JsonNode deleted = session.api()
                    .delete(session.projectPath() + SETS + "/" + encode(name))
                    .path("masking_rule_set");
            if (session.output().isTable()) {
                session.output().line("The rules " + name + " are deleted.");
            } else {
                session.output().tree(deleted);
            }
            return 0;
        });
    }

    @Command(
            name = "test",
            description =
                    "Show some rows of a branch before and after masking, without making a branch. Reads as a role of the"
                            + " branch, and shows what that may read.")
    int test(
            @Mixin RuleOptions rules,
            @Mixin BranchOption branch,
            @Mixin ReaderOptions reader,
            @Option(
                            names = "--rows",
                            paramLabel = "COUNT",
                            defaultValue = "5",
                            description = "Rows of each table, 0 to 100. Default: 5.")
                    int rows) {
        return withSession(spec, session -> {
            String path = session.branchPath(session.projectPath(), branch.name());
            JsonNode answer = rules.with(body ->
                    session.api().post(path + "/masking_test", reader.in(session, body.put("rows", rows))));
            if (!session.output().isTable()) {
                session.output().tree(answer);
                return 0;
            }
            session.output().list(flat(answer), "The rules mask no table that has rows.", TESTED);
            for (JsonNode database : answer.path("databases")) {
                for (JsonNode warning : database.path("warnings")) {
                    session.output()
                            .line("note: " + database.path("database_name").asString("") + ": " + warning.asString(""));
                }
            }
            return 0;
        });
    }

    /** A line for each value. */
    private static ArrayNode flat(JsonNode answer) {
        ArrayNode flat = JsonMapper.shared().createArrayNode();
        for (JsonNode database : answer.path("databases")) {
            for (JsonNode table : database.path("tables")) {
                int number = 0;
                for (JsonNode row : table.path("rows")) {
                    number++;
                    for (int i = 0; i < table.path("columns").size(); i++) {
                        flat.addObject()
                                .put(
                                        "table",
                                        database.path("database_name").asString("") + "."
                                                + table.path("schema_name").asString("") + "."
                                                + table.path("table_name").asString(""))
                                .put("row", Integer.toString(number))
                                .put(
                                        "column",
                                        table.path("columns")
                                                .get(i)
                                                .path("column_name")
                                                .asString(""))
                                .put("before", shown(row.path("before").get(i)))
                                .put("after", shown(row.path("after").get(i)));
                    }
                }
            }
        }
        return flat;
    }

    private static String shown(JsonNode value) {
        if (value.isNull()) {
            return "NULL";
        }
        String text = value.asString("").replaceAll("\\p{Cntrl}", " ");
        int most = 40;
        return text.length() <= most ? "'" + text + "'" : "'" + text.substring(0, most) + "'...";
    }

    @Command(
            name = "suggest",
            description =
                    "Look for personal data in a branch, by names, types and a sample of the values that a role may read."
                            + " What is not suggested may be personal all the same.")
    int suggest(
            @Mixin BranchOption branch,
            @Mixin ReaderOptions reader,
            @Option(names = "--database", paramLabel = "NAME", description = "One database. Default: all.") @Nullable
                    String database,
            @Option(names = "--as-rules", description = "As a rule file, with what it is sure of and what is likely.")
                    boolean asRules) {
        return withSession(spec, session -> {
            ObjectNode body = JsonMapper.shared().createObjectNode();
            if (database != null) {
                body.put("database_name", database);
            }
            JsonNode answer = session.api()
                    .post(
                            session.branchPath(session.projectPath(), branch.name()) + "/masking_suggestions",
                            reader.in(session, body));
            if (asRules) {
                session.output()
                        .line(RuleFileText.suggested(answer.path("suggestions")).stripTrailing());
                return 0;
            }
            if (!session.output().isTable()) {
                session.output().tree(answer);
                return 0;
            }
            session.output()
                    .list(
                            answer.path("suggestions"),
                            "Nothing was found in "
                                    + answer.path("columns_looked_at").asInt() + " columns.",
                            SUGGESTED);
            answer.path("notes").forEach(note -> session.output().line("note: " + note.asString("")));
            return 0;
        });
    }
}
