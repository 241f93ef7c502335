package dev.coppice.cli.command.branch;

import dev.coppice.cli.api.Session;
import dev.coppice.cli.command.masking.RuleOptions;
import dev.coppice.cli.output.CliException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** What makes a new branch an anonymized one. */
final class AnonymizedOptions {
    @Option(
            names = "--anonymized",
            description = "Make a branch that never gets its parent's originals: --rules or --set say what is masked.")
    private boolean anonymized;

    @Mixin
    private RuleOptions rules = new RuleOptions();

    @Option(
            names = "--indexes",
            paramLabel = "WHEN",
            description = "When indexes on masked columns are rebuilt: first (default), or in the background.")
    private @Nullable String indexes;

    /** Makes the branch that {@code body} asks for, anonymized or not. */
    JsonNode create(Session session, String project, ObjectNode body) {
        if (!anonymized) {
            if (rules.isGiven() || indexes != null) {
                throw new CliException(
                        CliException.USAGE, "rules are for anonymized branches", "add --anonymized, or leave them out");
            }
            return session.api().post(project + "/branches", body);
        }
        return rules.with(asked -> {
            asked.set("branch_create", body);
            asked.put("start_anonymization", true);
            if (indexes != null) {
                asked.put("masking_indexes", indexes);
            }
            return session.api().post(project + "/branch_anonymized", asked);
        });
    }
}
