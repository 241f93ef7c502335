package dev.coppice.cli.output;

import dev.coppice.cli.output.Output.Column;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** Which fields of the API's objects a table shows. */
public final class TableColumns {
    public static final List<Column> PROJECTS = List.of(
            Column.of("NAME", "name"),
            Column.of("ID", "id"),
            Column.of("POSTGRES", "pg_version"),
            Column.time("CREATED", "created_at"));

    /** One project, with what there is no room for in a list. */
    public static final List<Column> PROJECT = List.of(
            Column.of("NAME", "name"),
            Column.of("ID", "id"),
            Column.of("POSTGRES", "pg_version"),
            new Column(
                    "HISTORY",
                    row -> Times.text(row.path("history_retention_seconds").asLong())),
            Column.time("CREATED", "created_at"));

    public static final List<Column> BRANCH = List.of(
            Column.of("NAME", "name"),
            Column.of("ID", "id"),
            Column.of("PARENT", "parent_id"),
            Column.of("PARENT LSN", "parent_lsn"),
            Column.of("PARENT TIME", "parent_timestamp"),
            Column.of("STATE", "current_state"),
            Column.time("RESTORED", "last_reset_at"),
            Column.time("EXPIRES", "expires_at"),
            new Column("PROTECTED", row -> row.path("protected").asBoolean(false) ? "yes" : ""),
            new Column("DEFAULT", row -> row.path("default").asBoolean(false) ? "yes" : ""),
            Column.time("CREATED", "created_at"));

    public static final List<Column> ROLES = List.of(Column.of("NAME", "name"), Column.time("CREATED", "created_at"));

    public static final List<Column> DATABASES =
            List.of(Column.of("NAME", "name"), Column.of("OWNER", "owner_name"), Column.time("CREATED", "created_at"));

    public static final List<Column> OPERATIONS = List.of(
            Column.of("ID", "id"),
            Column.of("ACTION", "action"),
            Column.of("STATUS", "status"),
            new Column("PROGRESS", TableColumns::progress).whereAny(),
            Column.of("ERROR", "error").whereAny(),
            Column.of("BRANCH", "branch_id"),
            Column.time("CREATED", "created_at"),
            new Column(
                    "TOOK",
                    row -> row.path("status").asString("").equals("running")
                            ? ""
                            : row.path("total_duration_ms").asLong() + " ms"));

    /** What a running operation does, and how much of it is done. */
    static String progress(JsonNode operation) {
        JsonNode progress = operation.path("progress");
        String stage = progress.path("stage").asString("");
        JsonNode percent = progress.path("percent");
        return percent.isNumber() ? percent.asInt() + "% " + stage : stage;
    }

    private TableColumns() {}
}
