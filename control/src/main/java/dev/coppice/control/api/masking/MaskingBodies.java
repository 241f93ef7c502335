package dev.coppice.control.api.masking;

import dev.coppice.control.anonymize.AnonymizeWorkflow;
import dev.coppice.control.api.view.Bodies;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.masking.RuleSet;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Bodies about masking: Neon's, with {@code path}, {@code when}, {@code masking_policy} and {@code masking_rule_set} besides. */
public final class MaskingBodies {
    private MaskingBodies() {}

    record CreateAnonymized(
            Bodies.@Nullable CreateBranch branchCreate,
            @Nullable List<@Nullable Rule> maskingRules,
            @Nullable Boolean startAnonymization,
            @Nullable String maskingPolicy,
            @Nullable String maskingRuleSet,
            @Nullable String maskingIndexes) {}

    record Rules(
            @Nullable List<@Nullable Rule> maskingRules,
            @Nullable String maskingPolicy,
            @Nullable String maskingRuleSet) {}

    record Test(
            @Nullable List<@Nullable Rule> maskingRules,
            @Nullable String maskingPolicy,
            @Nullable String maskingRuleSet,
            @Nullable Integer rows,
            @Nullable String roleName,
            @Nullable String password) {}

    record Suggest(
            @Nullable String databaseName,
            @Nullable String roleName,
            @Nullable String password) {}

    record Rule(
            @Nullable String databaseName,
            @Nullable String schemaName,
            @Nullable String tableName,
            @Nullable String columnName,
            @Nullable String maskingFunction,
            @Nullable String maskingValue,
            @Nullable String path,
            @Nullable String when) {
        static Rule of(RuleSet.Rule rule) {
            return new Rule(
                    rule.database(),
                    rule.schema(),
                    rule.table(),
                    rule.column(),
                    rule.function(),
                    rule.value(),
                    rule.path(),
                    rule.when());
        }
    }

    /**
     * The rules of a request.
     *
     * @param policy absent = keep, as at Neon
     * @throws ControlException INVALID, naming the field
     */
    static RuleSet ruleSet(@Nullable List<@Nullable Rule> rules, @Nullable String policy) {
        List<RuleSet.Rule> all = new ArrayList<>();
        for (Rule rule : rules == null ? List.<@Nullable Rule>of() : rules) {
            String at = "masking_rules[" + all.size() + "]";
            if (rule == null) {
                throw ControlException.invalid(at + ": must be a rule, not null");
            }
            all.add(new RuleSet.Rule(
                    required(rule.databaseName(), at + ".database_name"),
                    required(rule.schemaName(), at + ".schema_name"),
                    required(rule.tableName(), at + ".table_name"),
                    required(rule.columnName(), at + ".column_name"),
                    rule.maskingFunction(),
                    rule.maskingValue(),
                    rule.path(),
                    rule.when()));
        }
        try {
            return new RuleSet(policy == null ? RuleSet.Unlisted.KEEP : RuleSet.Unlisted.of(policy), all);
        } catch (IllegalArgumentException e) {
            throw new ControlException(
                    ControlException.Kind.INVALID,
                    "masking_policy: must be keep, mask or refuse: what happens to columns without a rule",
                    e);
        }
    }

    /** @throws ControlException INVALID for anything but first (as when absent) and background */
    static AnonymizeWorkflow.Indexes indexes(@Nullable String asked) {
        return switch (asked == null ? "first" : asked) {
            case "first" -> AnonymizeWorkflow.Indexes.FIRST;
            case "background" -> AnonymizeWorkflow.Indexes.BACKGROUND;
            default ->
                throw ControlException.invalid(
                        "masking_indexes: must be first or background: when indexes on masked columns are rebuilt");
        };
    }

    private static String required(@Nullable String value, String field) {
        if (value == null || value.isEmpty()) {
            throw ControlException.invalid(field + ": is missing");
        }
        return value;
    }
}
