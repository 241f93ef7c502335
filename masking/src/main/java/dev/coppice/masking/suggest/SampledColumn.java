package dev.coppice.masking.suggest;

import dev.coppice.masking.layout.DataType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A column, or a part of its documents, with some of its values.
 *
 * @param path the part of a json or jsonb column; null for the whole value
 * @param distinct whether values must stay distinct: it is unique or a key
 * @param values some values as text, NULLs left out; few are enough, and none will do
 */
public record SampledColumn(
        String schema,
        String table,
        String column,
        @Nullable String path,
        DataType type,
        int typeModifier,
        boolean distinct,
        List<String> values) {
    public SampledColumn {
        values = List.copyOf(values);
    }

    /** What the value is called: the column, or the last key of the path. */
    String name() {
        if (path == null) {
            return column;
        }
        int dot = path.lastIndexOf('.');
        return path.substring(dot + 1).replaceAll("\\[.*?]|[\"$]", "");
    }
}
