package dev.coppice.cli.command.masking;

import dev.coppice.cli.output.CliException;
import dev.coppice.cli.rules.RuleFile;
import java.nio.file.Path;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** {@code --rules} and {@code --set}: the rules of a file, or those that the project keeps under a name. */
public final class RuleOptions {
    @Option(
            names = "--rules",
            paramLabel = "FILE",
            description = "A file of masking rules; config/masking.example.yaml explains it.")
    private @Nullable Path file;

    @Option(
            names = {"--set", "--rule-set"},
            paramLabel = "NAME",
            description = "The set of the file. Without a file: one that the project keeps.")
    private @Nullable String set;

    public boolean isGiven() {
        return file != null || set != null;
    }

    @Nullable
    Path file() {
        return file;
    }

    @Nullable
    String set() {
        return set;
    }

    /**
     * Calls the API with the rules.
     *
     * @param call takes a body with the rules in it
     * @throws CliException what the server says against rules of a file names their lines
     */
    public JsonNode with(Function<ObjectNode, JsonNode> call) {
        if (file == null) {
            if (set == null) {
                throw new CliException(
                        CliException.USAGE, "no rules are named", "pass --rules FILE, or --set NAME for stored ones");
            }
            return call.apply(JsonMapper.shared().createObjectNode().put("masking_rule_set", set));
        }
        RuleFile rules = RuleFile.read(file);
        RuleFile.RuleSet chosen = rules.set(set);
        try {
            return call.apply(chosen.body().deepCopy());
        } catch (CliException e) {
            throw e.exitCode() == CliException.REFUSED ? rules.located(e, chosen) : e;
        }
    }
}
