package dev.coppice.masking.rule;

import dev.coppice.masking.function.FunctionCall;
import dev.coppice.masking.function.json.JsonPath;
import dev.coppice.masking.function.value.RefusedFunctionException;
import org.jspecify.annotations.Nullable;

/**
 * How a column is masked.
 *
 * @param path the part of a json or jsonb column that the rule is for; null for the whole value
 * @param call the function, or {@link #KEEP} for "declared safe"
 * @param when the condition, as SQL over the columns of the row; null for always
 */
public record MaskingRule(
        String schema,
        String table,
        String column,
        @Nullable JsonPath path,
        FunctionCall call,
        @Nullable Condition when) {
    /** The function that declares a column safe to show. */
    public static final String KEEP = "keep";

    /** A rule for a whole column of every row. */
    public MaskingRule(String schema, String table, String column, String function) {
        this(schema, table, column, null, FunctionCall.parse(function), null);
    }

    /**
     * A rule as the API states it.
     *
     * @param function a call, as PostgreSQL Anonymizer writes it; null if there is a value
     * @param value an SQL literal that every value becomes, or a text without quotes; null if there is a function
     * @param path null for the whole value
     * @param when null for always
     * @throws RefusedFunctionException if one of them cannot be understood
     */
    public static MaskingRule of(
            String schema,
            String table,
            String column,
            @Nullable String function,
            @Nullable String value,
            @Nullable String path,
            @Nullable String when) {
        if ((function == null) == (value == null)) {
            throw new RefusedFunctionException("a rule needs a masking function or a masking value, and not both: "
                    + schema + "." + table + "." + column);
        }
        FunctionCall call =
                function == null ? literal(java.util.Objects.requireNonNull(value)) : FunctionCall.parse(function);
        return new MaskingRule(
                schema,
                table,
                column,
                path == null ? null : JsonPath.parse(path),
                call,
                when == null ? null : Condition.parse(when));
    }

    private static FunctionCall literal(String value) {
        try {
            FunctionCall call = FunctionCall.parse("value(" + value + ")");
            if (call.arguments().size() == 1) {
                switch (call.arguments().getFirst()) {
                    case FunctionCall.Text ignored -> {
                        return call;
                    }
                    case FunctionCall.Numeral ignored -> {
                        return call;
                    }
                    case FunctionCall.Flag ignored -> {
                        return call;
                    }
                    case FunctionCall.Nothing ignored -> {
                        return call;
                    }
                    case FunctionCall.Nested ignored ->
                        throw new RefusedFunctionException(
                                "the masking value " + value + " is a call: give it as the masking function");
                    case FunctionCall.Column ignored -> {}
                }
            }
        } catch (RefusedFunctionException e) {
            if (e.getMessage() != null && e.getMessage().startsWith("the masking value")) {
                throw e;
            }
        }
        return new FunctionCall("value", java.util.List.of(new FunctionCall.Text(value)));
    }

    boolean isKeep() {
        return call.name().equals(KEEP);
    }

    String target() {
        return schema + "." + table + "." + column;
    }

    @Override
    public String toString() {
        return target() + (path == null ? "" : " " + path) + ": " + call + (when == null ? "" : " when " + when);
    }
}
