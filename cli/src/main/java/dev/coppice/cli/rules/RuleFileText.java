package dev.coppice.cli.rules;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Writes rules of the API as a rule file. */
public final class RuleFileText {
    private RuleFileText() {}

    /** @param rules an object with {@code masking_policy} and {@code masking_rules} */
    public static String of(String name, JsonNode rules) {
        return text(name, rules.path("masking_policy").asString("keep"), rules.path("masking_rules"), "");
    }

    /** The suggestions that have a function and are more than possible, each with its reason as a comment. */
    public static String suggested(JsonNode suggestions) {
        ArrayNode sure = JsonMapper.shared().createArrayNode();
        for (JsonNode each : suggestions) {
            if (each.has("masking_function")
                    && !each.path("certainty").asString("").equals("possible")) {
                sure.add(each);
            }
        }
        return text(
                "suggested",
                "keep",
                sure,
                "# Guesses: look through them, and for what is missing. Then set unlisted to mask or refuse.\n");
    }

    private static String text(String name, String policy, JsonNode rules, String head) {
        Map<String, Map<String, Map<String, ArrayNode>>> tree = new TreeMap<>();
        for (JsonNode rule : rules) {
            String table = quoted(rule.path("schema_name").asString("")) + "."
                    + quoted(rule.path("table_name").asString(""));
            tree.computeIfAbsent(rule.path("database_name").asString(""), key -> new TreeMap<>())
                    .computeIfAbsent(table, key -> new LinkedHashMap<>())
                    .computeIfAbsent(
                            rule.path("column_name").asString(""),
                            key -> JsonMapper.shared().createArrayNode())
                    .add(rule);
        }
        StringBuilder text = new StringBuilder(head)
                .append("rule_sets:\n  ")
                .append(scalar(name))
                .append(":\n    unlisted: ")
                .append(policy)
                .append("\n    databases:\n");
        tree.forEach((database, tables) -> {
            text.append("      ").append(scalar(database)).append(":\n");
            tables.forEach((table, columns) -> {
                text.append("        ").append(scalar(table)).append(":\n");
                columns.forEach((column, all) -> column(text, column, all));
            });
        });
        return text.toString();
    }

    private static String quoted(String name) {
        return name.indexOf('.') < 0 ? name : '"' + name + '"';
    }

    private static void column(StringBuilder text, String column, ArrayNode rules) {
        text.append("          ").append(scalar(column)).append(':');
        JsonNode first = rules.get(0);
        boolean plain = rules.size() == 1 && first.has("masking_function") && !first.has("path") && !first.has("when");
        if (plain) {
            text.append(' ').append(scalar(first.path("masking_function").asString("")));
            comment(text, first);
            return;
        }
        text.append('\n');
        for (JsonNode rule : rules) {
            ObjectNode shown = JsonMapper.shared().createObjectNode();
            for (String key : new String[] {"path", "function", "value", "when"}) {
                JsonNode value = rule.path(rule.has("masking_" + key) ? "masking_" + key : key);
                if (value.isString() && !key.equals("value")) {
                    shown.put(key, value.stringValue());
                }
            }
            if (rule.has("masking_value")) {
                shown.put("function", "value(" + rule.path("masking_value").asString("") + ")");
            }
            // An object of JSON is one of YAML.
            text.append("            - ").append(shown);
            comment(text, rule);
        }
    }

    private static void comment(StringBuilder text, JsonNode rule) {
        if (rule.has("reason")) {
            text.append("  # ")
                    .append(rule.path("certainty").asString("").toLowerCase(Locale.ROOT))
                    .append(", ")
                    .append(rule.path("reason").asString("").replaceAll("\\s+", " "));
        }
        text.append('\n');
    }

    /** A text as YAML reads it back, plain where that is clear. */
    private static String scalar(String text) {
        boolean plain =
                text.matches("[A-Za-z_][A-Za-z0-9_.()'-]*") && !text.matches("(?i)null|true|false|yes|no|on|off|y|n");
        return plain ? text : JsonMapper.shared().writeValueAsString(text);
    }
}
