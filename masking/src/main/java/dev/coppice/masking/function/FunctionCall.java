package dev.coppice.masking.function;

import dev.coppice.masking.function.value.RefusedFunctionException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A call as a rule states it: {@code anon.partial(phone, 2, 'XXX', 2)}.
 *
 * @param name without schema, in lower case
 */
public record FunctionCall(String name, List<Argument> arguments) {
    /** One argument. */
    public sealed interface Argument {}

    /** {@code 'text'}. */
    public record Text(String value) implements Argument {}

    /** A number. */
    public record Numeral(BigDecimal value) implements Argument {}

    /** {@code true} or {@code false}. */
    public record Flag(boolean value) implements Argument {}

    /** {@code NULL}. */
    public record Nothing() implements Argument {}

    /** The name of a column. */
    public record Column(String name) implements Argument {}

    /** A call inside a call. */
    public record Nested(FunctionCall call) implements Argument {}

    public FunctionCall {
        arguments = List.copyOf(arguments);
    }

    /**
     * Parses a call.
     *
     * @throws RefusedFunctionException if it is none, with the position
     */
    public static FunctionCall parse(String text) {
        return new FunctionParser(text).parse();
    }

    /** This call without a first argument that is the masked column itself, as PostgreSQL Anonymizer writes it. */
    FunctionCall without(String column) {
        List<Argument> rest = new ArrayList<>(arguments);
        if (!rest.isEmpty() && rest.getFirst() instanceof Column(String name) && name.equalsIgnoreCase(column)) {
            rest.removeFirst();
        }
        for (Argument argument : rest) {
            if (argument instanceof Column(String other)) {
                throw new RefusedFunctionException(name + "() reads " + other
                        + ", but a function sees only the value that it masks, " + column
                        + ": use a condition (when), or update the branch by SQL");
            }
        }
        return new FunctionCall(name, rest);
    }

    boolean has(int index) {
        return index < arguments.size();
    }

    /** @throws RefusedFunctionException if there are more arguments */
    void allow(int most) {
        if (arguments.size() > most) {
            throw new RefusedFunctionException(
                    name + "() takes at most " + most + " arguments besides the column, and got " + arguments.size());
        }
    }

    String text(int index, String what) {
        return switch (argument(index, what)) {
            case Text(String value) -> value;
            case Numeral(BigDecimal value) -> value.toPlainString();
            case Flag(boolean value) -> Boolean.toString(value);
            case Nothing ignored -> throw wrong(index, what, "a text");
            case Column ignored -> throw wrong(index, what, "a text");
            case Nested ignored -> throw wrong(index, what, "a text");
        };
    }

    String text(int index, String what, String otherwise) {
        return has(index) ? text(index, what) : otherwise;
    }

    BigDecimal number(int index, String what) {
        Argument argument = argument(index, what);
        try {
            return switch (argument) {
                case Numeral(BigDecimal value) -> value;
                case Text(String value) when value.length() <= 100 -> new BigDecimal(value.strip());
                default -> throw wrong(index, what, "a number");
            };
        } catch (NumberFormatException e) {
            throw wrong(index, what, "a number");
        }
    }

    int integer(int index, String what, int least, int greatest) {
        try {
            int value = number(index, what).intValueExact();
            if (value >= least && value <= greatest) {
                return value;
            }
        } catch (ArithmeticException e) {
            throw wrong(index, what, "a whole number from " + least + " to " + greatest);
        }
        throw wrong(index, what, "a whole number from " + least + " to " + greatest);
    }

    private Argument argument(int index, String what) {
        if (!has(index)) {
            throw new RefusedFunctionException(name + "() needs an argument: " + what);
        }
        return arguments.get(index);
    }

    private RefusedFunctionException wrong(int index, String what, String wanted) {
        return new RefusedFunctionException(name + "(): argument " + (index + 1) + " (" + what + ") must be " + wanted);
    }

    @Override
    public String toString() {
        return arguments.stream().map(FunctionCall::show).collect(Collectors.joining(", ", name + "(", ")"));
    }

    private static String show(Argument argument) {
        return switch (argument) {
            case Text(String value) -> "'" + value.replace("'", "''") + "'";
            case Numeral(BigDecimal value) -> value.toPlainString();
            case Flag(boolean value) -> Boolean.toString(value);
            case Nothing ignored -> "NULL";
            case Column(String column) -> column;
            case Nested(FunctionCall call) -> call.toString();
        };
    }
}
