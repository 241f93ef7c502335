package dev.coppice.control.api.masking;

import dev.coppice.control.catalog.model.BranchMasking;
import dev.coppice.control.catalog.model.NamedRules;
import dev.coppice.control.masking.Discovery;
import dev.coppice.control.masking.RuleSet;
import dev.coppice.control.masking.RuleTrial;
import dev.coppice.masking.suggest.Suggestion;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Answers about masking. */
public final class MaskingViews {
    private MaskingViews() {}

    record Rules(List<MaskingBodies.Rule> maskingRules, String maskingPolicy) {
        public static Rules of(RuleSet rules) {
            return new Rules(
                    rules.rules().stream().map(MaskingBodies.Rule::of).toList(),
                    rules.unlisted().text());
        }
    }

    record RuleSets(List<NamedRuleSet> maskingRuleSets) {}

    record OneRuleSet(NamedRuleSet maskingRuleSet) {}

    record NamedRuleSet(
            String name,
            String maskingPolicy,
            List<MaskingBodies.Rule> maskingRules,
            Instant createdAt,
            Instant updatedAt) {
        public static NamedRuleSet of(NamedRules named) {
            Rules rules = Rules.of(RuleSet.parse(named.rules()));
            return new NamedRuleSet(
                    named.name(), rules.maskingPolicy(), rules.maskingRules(), named.createdAt(), named.updatedAt());
        }
    }

    /**
     * Neon's status, and which rules are shown.
     *
     * @param rulesVersion of the declared rules
     * @param appliedRulesVersion of the rules that the branch shows; another one until it is anonymized again
     */
    record Status(
            String projectId,
            String branchId,
            String state,
            @Nullable String statusMessage,
            Instant createdAt,
            Instant updatedAt,
            @Nullable Instant failedAt,
            int rulesVersion,
            @Nullable Integer appliedRulesVersion) {
        static Status of(String projectId, BranchMasking masking) {
            String message = masking.error() != null ? masking.error() : masking.message();
            if (message != null && masking.error() == null && masking.stepsTotal() > 0) {
                message += " (" + masking.stepsDone() + "/" + masking.stepsTotal() + ")";
            }
            return new Status(
                    projectId,
                    masking.branchId(),
                    masking.state().text(),
                    message,
                    masking.createdAt(),
                    masking.updatedAt(),
                    masking.failedAt(),
                    masking.version(),
                    masking.appliedVersion());
        }
    }

    record Tests(List<Test> databases) {}

    record Test(String databaseName, List<TestedTable> tables, List<String> warnings) {
        public static Test of(RuleTrial.Result result) {
            return new Test(
                    result.database(),
                    result.tables().stream().map(TestedTable::of).toList(),
                    result.warnings());
        }
    }

    record TestedTable(String schemaName, String tableName, List<TestedColumn> columns, List<TestedRow> rows) {
        public static TestedTable of(RuleTrial.Table table) {
            return new TestedTable(
                    table.schema(),
                    table.table(),
                    table.functions().entrySet().stream()
                            .map(column -> new TestedColumn(column.getKey(), column.getValue()))
                            .toList(),
                    table.rows().stream()
                            .map(row -> new TestedRow(row.before(), row.after()))
                            .toList());
        }
    }

    record TestedColumn(String columnName, String maskingFunction) {}

    /** Values by column, null for NULL. */
    record TestedRow(List<@Nullable String> before, List<@Nullable String> after) {}

    record Suggestions(List<Suggested> suggestions, int columnsLookedAt, List<String> notes) {
        public static Suggestions of(List<Discovery.Found> found) {
            return new Suggestions(
                    found.stream()
                            .flatMap(database -> database.suggestions().stream()
                                    .map(suggestion -> Suggested.of(database.database(), suggestion)))
                            .toList(),
                    found.stream().mapToInt(Discovery.Found::columns).sum(),
                    found.stream()
                            .flatMap(
                                    database -> database.notes().stream().map(note -> database.database() + "." + note))
                            .toList());
        }
    }

    /**
     * One guess; the fields that a rule has are called as in a rule.
     *
     * @param confidence 0 to 1
     * @param certainty certain, likely or possible
     * @param maskingFunction absent when no function can mask the column
     */
    record Suggested(
            String databaseName,
            String schemaName,
            String tableName,
            String columnName,
            @Nullable String path,
            @Nullable String maskingFunction,
            String category,
            double confidence,
            String certainty,
            String reason) {
        static Suggested of(String database, Suggestion suggestion) {
            return new Suggested(
                    database,
                    suggestion.column().schema(),
                    suggestion.column().table(),
                    suggestion.column().column(),
                    suggestion.column().path(),
                    suggestion.function(),
                    suggestion.category().name().toLowerCase(Locale.ROOT),
                    suggestion.confidence(),
                    suggestion.certainty(),
                    suggestion.category().title() + ": " + suggestion.reason());
        }
    }
}
