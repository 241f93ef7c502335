package dev.coppice.cli.output;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** Prints results: a table for people, or the API's own objects as JSON or YAML for programs. */
public final class Output {
    /** What {@code -o} takes. */
    public enum Format {
        table,
        json,
        yaml,
        name
    }

    /**
     * One column: its header, and where the value stands in an object.
     *
     * @param optional whether it is left out of a table in which no row has it
     */
    public record Column(String header, java.util.function.Function<JsonNode, String> value, boolean optional) {
        public Column(String header, java.util.function.Function<JsonNode, String> value) {
            this(header, value, false);
        }

        /** The same, left out of a table in which no row has it. */
        public Column whereAny() {
            return new Column(header, value, true);
        }

        /** The field {@code name}, blank when absent. */
        public static Column of(String header, String name) {
            return new Column(header, row -> row.path(name).asString(""));
        }

        /** The time in the field {@code name}, to the second: nobody reads the rest of it in a table. */
        public static Column time(String header, String name) {
            return new Column(
                    header, row -> FRACTION.matcher(row.path(name).asString("")).replaceFirst("$1"));
        }
    }

    private static final String GAP = "  ";
    private static final Pattern FRACTION = Pattern.compile("(:\\d\\d)\\.\\d+(?=Z$)");

    private final Format format;
    private final PrintWriter out;

    public Output(Format format, PrintWriter out) {
        this.format = format;
        this.out = out;
    }

    public boolean isTable() {
        return format == Format.table;
    }

    /** Prints {@code rows}: as a table with the columns, or whole. */
    public void list(JsonNode rows, String noRows, List<Column> columns) {
        if (format == Format.name) {
            rows.forEach(this::name);
        } else if (!isTable()) {
            tree(rows);
        } else if (rows.isEmpty()) {
            line(noRows);
        } else {
            table(rows, columns);
        }
    }

    /** Prints one object: in a table one line per column, or whole. */
    public void object(JsonNode object, List<Column> columns) {
        if (!isTable()) {
            tree(object);
            return;
        }
        int width = columns.stream().mapToInt(c -> c.header().length()).max().orElse(0);
        for (Column column : columns) {
            String value = column.value().apply(object);
            if (!value.isEmpty()) {
                line(pad(column.header(), width) + GAP + Visible.cell(value));
            }
        }
    }

    /** Prints JSON or YAML, whatever the format says a table is; or the name alone. */
    public void tree(JsonNode tree) {
        if (format == Format.name) {
            name(tree);
            return;
        }
        out.print(
                switch (format) {
                    case yaml -> YAMLMapper.shared().writeValueAsString(tree);
                    case table, json, name ->
                        JsonMapper.builder()
                                        .enable(SerializationFeature.INDENT_OUTPUT)
                                        .build()
                                        .writeValueAsString(tree)
                                + "\n";
                });
        out.flush();
    }

    public void line(String text) {
        out.print(Visible.lines(text) + "\n");
        out.flush();
    }

    /** The name, else the id, of an object or of the first one in it; of a list, of each. */
    private void name(JsonNode object) {
        if (object.isArray()) {
            object.forEach(this::name);
            return;
        }
        String name = named(object);
        if (name.isEmpty()) {
            for (JsonNode part : object) {
                name = part.isObject() ? named(part) : "";
                if (!name.isEmpty()) {
                    break;
                }
            }
        }
        if (!name.isEmpty()) {
            line(Visible.cell(name));
        }
    }

    private static String named(JsonNode object) {
        for (String field : List.of("name", "role_name", "uri", "id")) {
            String value = object.path(field).asString("");
            if (!value.isEmpty()) {
                return value;
            }
        }
        return "";
    }

    private void table(JsonNode rows, List<Column> all) {
        List<Column> columns = all.stream()
                .filter(column -> !column.optional() || anyHas(rows, column))
                .toList();
        List<List<String>> cells = new ArrayList<>();
        cells.add(columns.stream().map(Column::header).toList());
        for (JsonNode row : rows) {
            cells.add(columns.stream()
                    .map(c -> Visible.cell(c.value().apply(row)))
                    .toList());
        }
        int[] widths = new int[columns.size()];
        for (List<String> row : cells) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(
                        widths[i], row.get(i).codePointCount(0, row.get(i).length()));
            }
        }
        for (List<String> row : cells) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                text.append(pad(row.get(i), widths[i])).append(GAP);
            }
            line(text.toString().stripTrailing());
        }
    }

    private static boolean anyHas(JsonNode rows, Column column) {
        for (JsonNode row : rows) {
            if (!column.value().apply(row).isEmpty()) {
                return true;
            }
        }
        return false;
    }

    private static String pad(String text, int width) {
        return text + " ".repeat(Math.max(0, width - text.codePointCount(0, text.length())));
    }
}
