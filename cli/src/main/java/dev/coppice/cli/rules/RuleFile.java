package dev.coppice.cli.rules;

import dev.coppice.cli.output.CliException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * A file of masking rules, as {@code config/masking.example.yaml} explains it. Its sets become the API's rules; each rule keeps its line, so that what
 * the server says against it can be said of the file.
 */
public final class RuleFile {
    private static final long MAX_BYTES = 1 << 20;
    private static final Set<String> POLICIES = Set.of("keep", "mask", "refuse");
    private static final Set<String> SET_KEYS = Set.of("unlisted", "databases");
    private static final Set<String> RULE_KEYS = Set.of("function", "value", "path", "when");

    /** {@code schema.table}, each perhaps in quotes, or a table of schema public. */
    private static final Pattern TABLE =
            Pattern.compile("(?:(?:\"([^\"]+)\"|([^.\"]+))\\.)?(?:\"([^\"]+)\"|([^.\"]+))");

    private final Path file;
    private final Map<List<String>, Integer> lines = new HashMap<>();
    private final Map<String, RuleSet> sets = new LinkedHashMap<>();
    private final List<String> problems = new ArrayList<>();

    /**
     * One set of the file.
     *
     * @param body {@code masking_rules} and {@code masking_policy}, as the API takes them
     * @param lines the line of each rule
     */
    public record RuleSet(String name, ObjectNode body, List<Integer> lines) {}

    private RuleFile(Path file) {
        this.file = file;
    }

    /**
     * Reads a file.
     *
     * @throws CliException with every problem, each with its line
     */
    public static RuleFile read(Path path) {
        RuleFile rules = new RuleFile(path);
        try {
            if (Files.size(path) > MAX_BYTES) {
                throw rules.wrong(List.of(path + ": is larger than " + MAX_BYTES + " bytes"));
            }
            String text = Files.readString(path);
            rules.findLines(text);
            rules.sets(YAMLMapper.shared().readTree(text));
        } catch (java.nio.file.NoSuchFileException e) {
            throw rules.wrong(List.of(path + ": there is no such file"));
        } catch (IOException e) {
            throw rules.wrong(List.of(path + ": cannot be read: " + e.getMessage()));
        } catch (JacksonException e) {
            String at =
                    e.getLocation() == null ? "" : " line " + e.getLocation().getLineNr();
            throw rules.wrong(List.of(path + at + ": is not valid YAML: " + e.getOriginalMessage()));
        }
        if (!rules.problems.isEmpty()) {
            throw rules.wrong(rules.problems);
        }
        return rules;
    }

    public List<RuleSet> sets() {
        return List.copyOf(sets.values());
    }

    /** The set with a name, or the only one. */
    public RuleSet set(@Nullable String name) {
        RuleSet found =
                name == null && sets.size() == 1 ? sets.values().iterator().next() : sets.get(name == null ? "" : name);
        if (found == null) {
            throw new CliException(
                    CliException.USAGE,
                    name == null
                            ? file + " has several sets of rules"
                            : file + " has no set of rules called \"" + name + "\"",
                    "pass --set with one of " + String.join(", ", sets.keySet()));
        }
        return found;
    }

    /** What the server said against rules of a set, said of the lines that they are on. */
    public CliException located(CliException refusal, RuleSet set) {
        List<String> said = new ArrayList<>();
        for (String problem : String.valueOf(refusal.getMessage()).split("\n|; (?=[^ ]+\\.[^ ]+[: ])")) {
            said.add(located(problem, set));
        }
        return new CliException(refusal.exitCode(), String.join("\n", said), refusal.hint());
    }

    private String located(String problem, RuleSet set) {
        Matcher numbered = Pattern.compile("masking_rules\\[(\\d{1,6})][.:]? ?(.*)", Pattern.DOTALL)
                .matcher(problem);
        if (numbered.matches()) {
            int rule = Integer.parseInt(numbered.group(1));
            if (rule < set.lines().size()) {
                return file + " line " + set.lines().get(rule) + ": " + numbered.group(2);
            }
        }
        JsonNode rules = set.body().path("masking_rules");
        for (int i = 0; i < rules.size(); i++) {
            JsonNode rule = rules.get(i);
            String column = rule.path("schema_name").asString("") + "."
                    + rule.path("table_name").asString("") + "."
                    + rule.path("column_name").asString("");
            if (problem.contains(column + ":") || problem.contains(column + " ")) {
                return file + " line " + set.lines().get(i) + ": " + problem;
            }
        }
        return problem;
    }

    private CliException wrong(List<String> all) {
        return new CliException(
                CliException.USAGE, String.join("\n", all), "config/masking.example.yaml explains the file");
    }

    /** Notes the line of every key and of every element of a list; a key written twice is an error: the second would win. */
    private void findLines(String text) {
        Deque<String> path = new ArrayDeque<>();
        Deque<Integer> elements = new ArrayDeque<>();
        try (JsonParser parser = YAMLMapper.shared().createParser(text)) {
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                int line = parser.currentTokenLocation().getLineNr();
                boolean element = !elements.isEmpty() && elements.getLast() >= 0;
                switch (token) {
                    case START_OBJECT, START_ARRAY -> {
                        note(path, elements, element, line);
                        path.addLast("");
                        elements.addLast(token == JsonToken.START_ARRAY ? 0 : -1);
                    }
                    case END_OBJECT, END_ARRAY -> {
                        path.removeLast();
                        elements.removeLast();
                    }
                    case PROPERTY_NAME -> {
                        path.removeLast();
                        path.addLast(String.valueOf(parser.currentName()));
                        Integer first = lines.putIfAbsent(List.copyOf(path), line);
                        if (first != null) {
                            problems.add(
                                    file + " line " + line + ": " + path.getLast() + " is already on line " + first);
                        }
                    }
                    default -> note(path, elements, element, line);
                }
            }
        }
    }

    private void note(Deque<String> path, Deque<Integer> elements, boolean element, int line) {
        if (element) {
            int index = elements.removeLast();
            elements.addLast(index + 1);
            path.removeLast();
            path.addLast(Integer.toString(index));
            lines.putIfAbsent(List.copyOf(path), line);
        }
    }

    private void problem(List<String> path, String what) {
        List<String> nearest = path;
        while (!nearest.isEmpty() && !lines.containsKey(nearest)) {
            nearest = nearest.subList(0, nearest.size() - 1);
        }
        String at = nearest.isEmpty() ? "" : " line " + lines.get(nearest);
        problems.add(file + at + ": " + what);
    }

    private static List<String> below(List<String> path, String key) {
        List<String> longer = new ArrayList<>(path);
        longer.add(key);
        return longer;
    }

    private void sets(JsonNode root) {
        JsonNode all = root.path("rule_sets");
        if (!all.isObject() || all.isEmpty() || root.size() != 1) {
            problem(List.of(), "must have rule_sets at the top and nothing else, and a set below it");
            return;
        }
        for (Map.Entry<String, JsonNode> set : all.properties()) {
            List<String> path = List.of("rule_sets", set.getKey());
            Reading reading = new Reading(set.getKey(), JsonMapper.shared().createObjectNode(), new ArrayList<>());
            reading.read(path, set.getValue());
            sets.put(set.getKey(), new RuleSet(set.getKey(), reading.body(), reading.ruleLines()));
        }
    }

    /** One set while it is read. */
    private final class Reading {
        private final ObjectNode body;
        private final ArrayNode rules;
        private final List<Integer> ruleLines;
        private final String name;

        Reading(String name, ObjectNode body, List<Integer> ruleLines) {
            this.name = name;
            this.body = body;
            this.rules = body.putArray("masking_rules");
            this.ruleLines = ruleLines;
        }

        ObjectNode body() {
            return body;
        }

        List<Integer> ruleLines() {
            return List.copyOf(ruleLines);
        }

        void read(List<String> path, JsonNode set) {
            if (!set.isObject()) {
                problem(path, "the set " + name + " must have unlisted and databases below it");
                return;
            }
            unknownKeys(path, set, SET_KEYS, name);
            String policy = set.path("unlisted").asString("keep");
            if (!POLICIES.contains(policy)) {
                problem(below(path, "unlisted"), "unlisted must be keep, mask or refuse, and is \"" + policy + "\"");
            }
            body.put("masking_policy", policy);
            for (Map.Entry<String, JsonNode> database :
                    members(below(path, "databases"), set.path("databases"), "tables")) {
                List<String> databasePath = below(below(path, "databases"), database.getKey());
                for (Map.Entry<String, JsonNode> table : members(databasePath, database.getValue(), "tables")) {
                    table(below(databasePath, table.getKey()), database.getKey(), table.getKey(), table.getValue());
                }
            }
        }

        private Set<Map.Entry<String, JsonNode>> members(List<String> path, JsonNode node, String what) {
            if (node.isMissingNode() || node.isNull()) {
                return Set.of();
            }
            if (!node.isObject()) {
                problem(path, path.getLast() + " must have " + what + " below it");
                return Set.of();
            }
            return node.properties();
        }

        private void table(List<String> path, String database, String key, JsonNode columns) {
            Matcher names = TABLE.matcher(key);
            if (!names.matches()) {
                problem(path, "\"" + key + "\" is no table: write schema.table, in quotes what has dots in it");
                return;
            }
            String schema =
                    names.group(1) != null ? names.group(1) : Objects.requireNonNullElse(names.group(2), "public");
            String table = names.group(3) != null ? names.group(3) : names.group(4);
            for (Map.Entry<String, JsonNode> column : members(path, columns, "columns")) {
                ObjectNode target = JsonMapper.shared()
                        .createObjectNode()
                        .put("database_name", database)
                        .put("schema_name", schema)
                        .put("table_name", table)
                        .put("column_name", column.getKey());
                column(
                        below(path, column.getKey()),
                        schema + "." + table + "." + column.getKey(),
                        target,
                        column.getValue());
            }
        }

        private void column(List<String> path, String column, ObjectNode target, JsonNode rule) {
            if (rule.isString()) {
                String text = rule.stringValue().strip();
                if (text.equals("keep")) {
                    text = "keep()";
                }
                if (text.indexOf('(') < 0
                        && !text.toUpperCase(java.util.Locale.ROOT).startsWith("MASKED")) {
                    problem(
                            path,
                            column + ": \"" + text
                                    + "\" is no function: write a call like pseudonym(), or value: for a constant");
                    return;
                }
                add(path, target.put("masking_function", text));
            } else if (rule.isArray()) {
                for (int i = 0; i < rule.size(); i++) {
                    object(below(path, Integer.toString(i)), column, target.deepCopy(), rule.get(i));
                }
            } else {
                object(path, column, target, rule);
            }
        }

        private void object(List<String> path, String column, ObjectNode target, JsonNode rule) {
            if (!rule.isObject()) {
                problem(
                        path,
                        column
                                + ": must be a function like blank() or null(), or function:, value:, path: and when: below it");
                return;
            }
            unknownKeys(path, rule, RULE_KEYS, column);
            if (rule.has("function") == rule.has("value")) {
                problem(path, column + ": needs function or value, and not both");
                return;
            }
            for (String key : List.of("function", "path", "when")) {
                if (rule.has(key) && !rule.path(key).isString()) {
                    problem(below(path, key), column + ": " + key + " must be a text");
                    return;
                }
            }
            if (rule.has("function")) {
                target.put("masking_function", rule.path("function").stringValue());
            } else {
                JsonNode value = rule.path("value");
                if (!value.isValueNode()) {
                    problem(below(path, "value"), column + ": value must be one text, number, true, false or null");
                    return;
                }
                target.put(
                        "masking_value",
                        value.isString() ? "'" + value.stringValue().replace("'", "''") + "'" : value.toString());
            }
            for (String key : List.of("path", "when")) {
                if (rule.has(key)) {
                    target.put(key, rule.path(key).stringValue());
                }
            }
            add(path, target);
        }

        private void add(List<String> path, ObjectNode rule) {
            rules.add(rule);
            ruleLines.add(lines.getOrDefault(path, 1));
        }

        private void unknownKeys(List<String> path, JsonNode node, Set<String> known, String of) {
            for (Map.Entry<String, JsonNode> member : node.properties()) {
                if (!known.contains(member.getKey())) {
                    problem(
                            below(path, member.getKey()),
                            of + ": " + member.getKey() + " is not known here; known are "
                                    + String.join(", ", new TreeSet<>(known)));
                }
            }
        }
    }
}
