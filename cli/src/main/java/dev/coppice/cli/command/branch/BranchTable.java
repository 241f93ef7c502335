package dev.coppice.cli.command.branch;

import dev.coppice.cli.api.Session;
import dev.coppice.cli.output.Bytes;
import dev.coppice.cli.output.Output.Column;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The branches of a project with what is known about each: its parent's name, its compute, how deep it lies below its root. */
final class BranchTable {
    /** Put by us into copies of the API's objects, for tables. */
    private static final String COMPUTE = "compute";

    private static final String LABEL = "label";

    private final JsonNode branches;
    private final Map<String, JsonNode> computes = new HashMap<>();

    private BranchTable(JsonNode branches, JsonNode endpoints) {
        this.branches = branches;
        endpoints.forEach(endpoint -> computes.put(endpoint.path("branch_id").asString(""), endpoint));
    }

    static BranchTable read(Session session, String project) {
        return new BranchTable(
                session.branches(project),
                session.api().get(project + "/endpoints").path("endpoints"));
    }

    JsonNode branches() {
        return branches;
    }

    /** In words: active, idle, disabled; empty without one. */
    private String compute(JsonNode branch) {
        JsonNode endpoint = computes.get(branch.path("id").asString(""));
        if (endpoint == null) {
            return "none";
        }
        return endpoint.path("disabled").asBoolean(false)
                ? "disabled"
                : endpoint.path("current_state").asString("");
    }

    static boolean isDefault(JsonNode branch) {
        return branch.path("default").asBoolean(false);
    }

    static String kind(JsonNode branch) {
        return branch.path("kind").asString("ordinary").replace('_', '-');
    }

    private static String size(JsonNode branch) {
        JsonNode size = branch.path("logical_size");
        return size.isNumber() ? Bytes.text(size.asLong()) : "";
    }

    /** @param kind the only kind to show; absent = all */
    JsonNode rows(@Nullable String kind, boolean tree) {
        ArrayNode rows = JsonMapper.shared().createArrayNode();
        if (!tree) {
            branches.forEach(branch -> add(rows, branch, ""));
        } else {
            Set<String> ids = new TreeSet<>();
            branches.forEach(branch -> ids.add(branch.path("id").asString("")));
            for (JsonNode branch : branches) {
                if (!ids.contains(branch.path("parent_id").asString(""))) {
                    addWithChildren(rows, branch, "", "");
                }
            }
        }
        if (kind == null) {
            return rows;
        }
        ArrayNode chosen = JsonMapper.shared().createArrayNode();
        rows.forEach(row -> {
            if (kind(row).equals(kind)) {
                chosen.add(row);
            }
        });
        return chosen;
    }

    /** Parents come before their children; the catalog has no circles. */
    private void addWithChildren(ArrayNode rows, JsonNode branch, String label, String below) {
        add(rows, branch, label);
        List<JsonNode> children = children(branch.path("id").asString(""));
        for (int i = 0; i < children.size(); i++) {
            boolean last = i == children.size() - 1;
            addWithChildren(rows, children.get(i), below + (last ? "└─ " : "├─ "), below + (last ? "   " : "│  "));
        }
    }

    private void add(ArrayNode rows, JsonNode branch, String label) {
        if (branch instanceof ObjectNode object) {
            rows.add(object.deepCopy().put(COMPUTE, compute(branch)).put(LABEL, label));
        }
    }

    List<JsonNode> children(String id) {
        List<JsonNode> children = new ArrayList<>();
        for (JsonNode branch : branches) {
            if (branch.path("parent_id").asString("").equals(id)) {
                children.add(branch);
            }
        }
        return children;
    }

    String nameOf(String id) {
        return BranchesCommand.nameOf(branches, id);
    }

    List<Column> columns() {
        return List.of(
                new Column(
                        "NAME",
                        row -> row.path(LABEL).asString("")
                                + row.path("name").asString("")
                                + (isDefault(row) ? " *" : "")),
                Column.of("ID", "id"),
                new Column("PARENT", row -> nameOf(row.path("parent_id").asString(""))),
                new Column("KIND", BranchTable::kind),
                new Column(
                                "STATE",
                                row -> row.path("current_state").asString("").replace("ready", ""))
                        .whereAny(),
                Column.of("COMPUTE", COMPUTE),
                new Column("SIZE", BranchTable::size).whereAny(),
                new Column("PROTECTED", row -> row.path("protected").asBoolean(false) ? "yes" : "").whereAny(),
                Column.time("EXPIRES", "expires_at").whereAny(),
                Column.time("CREATED", "created_at"));
    }

    /** All about one branch: what a list has no room for, too. */
    List<Column> detail(JsonNode masking) {
        return List.of(
                Column.of("NAME", "name"),
                Column.of("ID", "id"),
                new Column("PARENT", row -> nameOf(row.path("parent_id").asString(""))),
                Column.of("PARENT LSN", "parent_lsn"),
                Column.of("PARENT TIME", "parent_timestamp"),
                new Column(
                        "CHILDREN",
                        row -> String.join(
                                ", ",
                                children(row.path("id").asString("")).stream()
                                        .map(child -> child.path("name").asString(""))
                                        .toList())),
                new Column("KIND", BranchTable::kind),
                new Column("MASKING", _ -> masking(masking)),
                Column.of("STATE", "current_state"),
                new Column("COMPUTE", row -> {
                    JsonNode endpoint = computes.get(row.path("id").asString(""));
                    return endpoint == null ? "none" : endpoint.path("id").asString("") + ", " + compute(row);
                }),
                new Column("SIZE", BranchTable::size),
                Column.time("RESTORED", "last_reset_at"),
                Column.of("RESTORED FROM", "restored_from"),
                Column.time("EXPIRES", "expires_at"),
                new Column("PROTECTED", row -> row.path("protected").asBoolean(false) ? "yes" : ""),
                new Column("DEFAULT", row -> isDefault(row) ? "yes" : ""),
                Column.time("CREATED", "created_at"));
    }

    private static String masking(JsonNode status) {
        String state = status.path("state").asString("");
        String message = status.path("status_message").asString("");
        return state + (state.isEmpty() || message.isEmpty() ? "" : ": ") + message;
    }
}
