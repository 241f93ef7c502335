package dev.coppice.masking.function;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.masking.function.value.RefusedFunctionException;
import dev.coppice.masking.function.value.Uniqueness;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.ScalarType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** docs/masking.md says what the code does: the types that each example masks, and whether distinct values stay distinct. */
class VocabularyDocumentTest {
    private static final Map<String, DataType> KINDS = new LinkedHashMap<>();

    static {
        KINDS.put("text", DataType.of(ScalarType.TEXT));
        KINDS.put("integer", DataType.of(ScalarType.INT4));
        KINDS.put("numeric", DataType.of(ScalarType.NUMERIC));
        KINDS.put("money", DataType.of(ScalarType.MONEY));
        KINDS.put("float", DataType.of(ScalarType.FLOAT8));
        KINDS.put("date", DataType.of(ScalarType.DATE));
        KINDS.put("timestamp", DataType.of(ScalarType.TIMESTAMPTZ));
        KINDS.put("time", DataType.of(ScalarType.TIME));
        KINDS.put("interval", DataType.of(ScalarType.INTERVAL));
        KINDS.put("bool", DataType.of(ScalarType.BOOL));
        KINDS.put("enum", new DataType.Enumeration("mood", List.of(new DataType.Label(1, "sad"))));
        KINDS.put("uuid", DataType.of(ScalarType.UUID));
        KINDS.put("bytea", DataType.of(ScalarType.BYTEA));
        KINDS.put("inet", DataType.of(ScalarType.INET));
        KINDS.put("macaddr", DataType.of(ScalarType.MACADDR));
        KINDS.put("bit", DataType.of(ScalarType.VARBIT));
        KINDS.put("json", DataType.of(ScalarType.JSONB));
        KINDS.put("range", new DataType.Range("daterange", 3912, DataType.of(ScalarType.DATE)));
        KINDS.put("xml", DataType.of(ScalarType.XML));
        KINDS.put("tsvector", DataType.of(ScalarType.TSVECTOR));
        KINDS.put("hstore", DataType.of(ScalarType.HSTORE));
        KINDS.put("point", DataType.of(ScalarType.POINT));
        KINDS.put("others", new DataType.Unsupported("tstzmultirange", "multiranges cannot be masked"));
    }

    private static List<String> document() throws IOException {
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            Path file = at.resolve("docs/masking.md");
            if (Files.exists(file)) {
                return Files.readAllLines(file);
            }
        }
        throw new IllegalStateException("docs/masking.md is missing");
    }

    @Test
    void each_row_of_the_table_is_what_the_code_does_and_no_function_is_left_out() throws IOException {
        List<String> expected = new ArrayList<>();
        List<String> actual = new ArrayList<>();
        Set<String> named = new TreeSet<>(Set.of(dev.coppice.masking.rule.MaskingRule.KEEP));
        for (String line : document()) {
            if (line.startsWith("| `") && line.contains(")` |")) {
                List<String> cells = List.of(line.split(" \\| ", 4));
                String example = cells.getFirst()
                        .substring("| `".length(), cells.getFirst().length() - 1);
                if (cells.size() < 4 || FunctionCall.parse(example).name().equals("keep")) {
                    continue;
                }
                named.add(FunctionCall.parse(example).name());
                expected.add(line);
                actual.add("| `" + example + "` | " + row(example) + " | " + cells.get(3));
            }
        }
        Path build = Path.of(System.getProperty("coppice.build.directory", "target"));
        Files.createDirectories(build);
        Files.write(build.resolve("masking-vocabulary.actual.md"), actual);
        assertThat(actual).isEqualTo(expected);
        assertThat(named).isEqualTo(FunctionNames.all());
    }

    private static String row(String example) {
        List<String> kinds = new ArrayList<>();
        List<String> distinct = new ArrayList<>();
        for (Map.Entry<String, DataType> kind : KINDS.entrySet()) {
            try {
                Uniqueness uniqueness =
                        TestValues.bind(example, kind.getValue()).uniqueness();
                kinds.add(kind.getKey());
                if (uniqueness == Uniqueness.PRESERVED) {
                    distinct.add(kind.getKey());
                }
            } catch (RefusedFunctionException e) {
                assertThat(e.getMessage()).isNotEmpty();
            }
        }
        List<String> lost = new ArrayList<>(kinds);
        lost.removeAll(distinct);
        String stay = distinct.isEmpty() ? "no" : lost.isEmpty() ? "yes" : "not of " + String.join(", ", lost);
        String all = kinds.size() == KINDS.size()
                ? "all"
                : kinds.size() == KINDS.size() - 1 && !kinds.contains("others")
                        ? "all but others"
                        : String.join(", ", kinds);
        return all + " | " + stay;
    }

    @Test
    void the_other_names_and_the_refused_functions_are_listed() throws IOException {
        List<String> lines = document();
        Map<String, Set<String>> byTarget = new TreeMap<>();
        FunctionNames.aliases()
                .forEach((alias, target) -> byTarget.computeIfAbsent(target, name -> new TreeSet<>())
                        .add("`" + alias + "`"));
        List<String> aliases = new ArrayList<>();
        byTarget.forEach((target, names) -> aliases.add("| `" + target + "` | " + String.join(", ", names) + " |"));
        List<String> refused = new ArrayList<>();
        new TreeMap<>(FunctionNames.elsewhere())
                .forEach((name, instead) -> refused.add("| `" + name + "` | " + instead + " |"));
        Path build = Path.of(System.getProperty("coppice.build.directory", "target"));
        Files.write(build.resolve("masking-names.actual.md"), aliases);
        Files.write(build.resolve("masking-refused.actual.md"), refused);
        assertThat(lines).containsSubsequence(aliases).containsSubsequence(refused);
    }
}
