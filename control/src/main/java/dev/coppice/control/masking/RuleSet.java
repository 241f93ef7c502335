package dev.coppice.control.masking;

import dev.coppice.masking.function.value.RefusedFunctionException;
import dev.coppice.masking.rule.MaskingRule;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The rules of a branch, as users declare them: {@code {"unlisted": "keep", "rules": [{"database_name": ..., "schema_name": ...,
 * "table_name": ..., "column_name": ..., "masking_function" or "masking_value": ..., "path": ..., "when": ...}]}}. The fields of
 * a rule are Neon's, and {@code path} and {@code when} besides. Nothing is checked against a database here.
 */
public record RuleSet(Unlisted unlisted, List<Rule> rules) {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    public RuleSet {
        rules = List.copyOf(rules);
    }

    /** What happens to columns that no rule names. */
    public enum Unlisted {
        /** They are shown. */
        KEEP,
        /** They are masked: keys and unique columns as pseudonyms, others blanked. */
        MASK,
        /** The branch is not anonymized until each of them has a rule, {@code keep()} perhaps. */
        REFUSE;

        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** @throws IllegalArgumentException for anything else than keep, mask or refuse */
        public static Unlisted of(String text) {
            for (Unlisted each : values()) {
                if (each.text().equals(text)) {
                    return each;
                }
            }
            throw new IllegalArgumentException("unlisted: must be keep, mask or refuse, and is \"" + text + "\"");
        }
    }

    /**
     * A rule for one column.
     *
     * @param function a call; absent if there is a value
     * @param value an SQL literal that every value becomes
     * @param path the part of a json or jsonb document that it is for
     * @param when a condition over the row's columns
     */
    public record Rule(
            String database,
            String schema,
            String table,
            String column,
            @Nullable String function,
            @Nullable String value,
            @Nullable String path,
            @Nullable String when) {
        /**
         * What Postgres is to compute, where the function is {@code sql(expression)}.
         *
         * @throws RefusedFunctionException if it is no expression
         */
        Optional<SqlExpression> expression() {
            return function == null || value != null ? Optional.empty() : SqlExpression.of(function);
        }

        /** @throws RefusedFunctionException if it cannot be understood */
        public MaskingRule parsed() {
            if (expression().isPresent()) {
                if (path != null || when != null) {
                    throw new RefusedFunctionException(
                            "sql() has no path and no condition: write them into the expression, with CASE for a condition");
                }
                // No page is changed for it.
                return MaskingRule.of(schema, table, column, "keep()", null, null, null);
            }
            return MaskingRule.of(schema, table, column, function, value, path, when);
        }
    }

    /** The rules for one database, understood; {@link Rule#database} is compared exactly. */
    public List<MaskingRule> of(String database) {
        return rules.stream()
                .filter(rule -> rule.database().equals(database))
                .map(Rule::parsed)
                .toList();
    }

    /** The stored form. */
    public String json() {
        ObjectNode root = JSON.createObjectNode();
        root.put("unlisted", unlisted.text());
        ArrayNode array = root.putArray("rules");
        for (Rule rule : rules) {
            ObjectNode node = array.addObject();
            node.put("database_name", rule.database());
            node.put("schema_name", rule.schema());
            node.put("table_name", rule.table());
            node.put("column_name", rule.column());
            putIfPresent(node, "masking_function", rule.function());
            putIfPresent(node, "masking_value", rule.value());
            putIfPresent(node, "path", rule.path());
            putIfPresent(node, "when", rule.when());
        }
        return root.toString();
    }

    private static void putIfPresent(ObjectNode node, String field, @Nullable String value) {
        if (value != null) {
            node.put(field, value);
        }
    }

    /**
     * Reads the stored form.
     *
     * @throws IllegalArgumentException naming what is wrong
     */
    public static RuleSet parse(String json) {
        JsonNode root;
        try {
            root = JSON.readTree(json);
        } catch (JacksonException e) {
            throw new IllegalArgumentException("the masking rules are no JSON: " + e.getMessage(), e);
        }
        List<Rule> rules = new ArrayList<>();
        for (JsonNode node : root.path("rules")) {
            String at = "rules[" + rules.size() + "].";
            rules.add(new Rule(
                    required(node, "database_name", at),
                    required(node, "schema_name", at),
                    required(node, "table_name", at),
                    required(node, "column_name", at),
                    optional(node, "masking_function", at),
                    optional(node, "masking_value", at),
                    optional(node, "path", at),
                    optional(node, "when", at)));
        }
        return new RuleSet(Unlisted.of(root.path("unlisted").asString("keep")), rules);
    }

    private static String required(JsonNode node, String field, String at) {
        String value = optional(node, field, at);
        if (value == null || value.isEmpty()) {
            throw new IllegalArgumentException(at + field + ": is missing");
        }
        return value;
    }

    private static @Nullable String optional(JsonNode node, String field, String at) {
        JsonNode value = node.path(field);
        if (value.isMissingNode() || value.isNull()) {
            return null;
        }
        if (!value.isString()) {
            throw new IllegalArgumentException(at + field + ": must be a text");
        }
        return value.stringValue();
    }
}
