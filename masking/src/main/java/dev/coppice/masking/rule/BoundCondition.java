package dev.coppice.masking.rule;

import dev.coppice.masking.function.ComparableValue;
import dev.coppice.masking.function.value.RefusedFunctionException;
import dev.coppice.masking.layout.Attribute;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.page.RowCondition;
import java.util.List;
import java.util.function.Predicate;

/** Conditions with their columns' numbers and their literals read, in three-valued logic. */
final class BoundCondition {
    /** SQL's truth values. */
    private enum Truth {
        FALSE,
        UNKNOWN,
        TRUE;

        static Truth of(boolean value) {
            return value ? TRUE : FALSE;
        }

        Truth negated() {
            return switch (this) {
                case TRUE -> FALSE;
                case FALSE -> TRUE;
                case UNKNOWN -> UNKNOWN;
            };
        }
    }

    @FunctionalInterface
    private interface Term {
        Truth evaluate(RowCondition.Row row);
    }

    private BoundCondition() {}

    /**
     * A condition for the rows of a table; what is not known to be false holds.
     *
     * @throws RefusedFunctionException if it names a column that is not there or cannot be compared so
     */
    static RowCondition bind(Condition condition, TableDefinition table) {
        Term term = term(condition, table);
        return row -> term.evaluate(row) != Truth.FALSE;
    }

    private static Term term(Condition condition, TableDefinition table) {
        return switch (condition) {
            case Condition.And(List<Condition> terms) -> {
                List<Term> bound = terms.stream().map(each -> term(each, table)).toList();
                yield row -> {
                    Truth truth = Truth.TRUE;
                    for (Term each : bound) {
                        truth = least(truth, each.evaluate(row));
                    }
                    return truth;
                };
            }
            case Condition.Or(List<Condition> terms) -> {
                List<Term> bound = terms.stream()
                        .map(each -> term(new Condition.Not(each), table))
                        .toList();
                yield row -> {
                    Truth truth = Truth.TRUE;
                    for (Term each : bound) {
                        truth = least(truth, each.evaluate(row));
                    }
                    return truth.negated();
                };
            }
            case Condition.Not(Condition inner) -> {
                Term bound = term(inner, table);
                yield row -> bound.evaluate(row).negated();
            }
            case Condition.IsNull(String name) -> {
                int number = column(name, table).number();
                yield row -> Truth.of(row.field(number) == RowCondition.Absent.NULL);
            }
            case Condition.Comparison(String name, Condition.Operator operator, String literal) -> {
                Attribute column = comparable(name, table);
                boolean byOrder = operator != Condition.Operator.EQUAL && operator != Condition.Operator.NOT_EQUAL;
                if (byOrder && !ComparableValue.isOrdered(column.type())) {
                    throw new RefusedFunctionException("a condition can compare " + name + " of type "
                            + column.type().name() + " with =, <> and IN only");
                }
                ComparableValue wanted = ComparableValue.parse(column.type(), literal);
                yield test(column, value -> operator.holds(value.compareTo(wanted)));
            }
            case Condition.In(String name, List<String> literals) -> {
                Attribute column = comparable(name, table);
                List<ComparableValue> wanted = literals.stream()
                        .map(literal -> ComparableValue.parse(column.type(), literal))
                        .toList();
                yield test(column, wanted::contains);
            }
            case Condition.Like(String name, String pattern) -> {
                Attribute column = comparable(name, table);
                if (!ComparableValue.isText(column.type())) {
                    throw new RefusedFunctionException("LIKE is for texts, and " + name + " is of type "
                            + column.type().name());
                }
                LikePattern like = new LikePattern(
                        ComparableValue.parse(column.type(), pattern).text());
                yield test(column, value -> like.matches(value.text()));
            }
        };
    }

    private static Truth least(Truth first, Truth second) {
        return first.compareTo(second) <= 0 ? first : second;
    }

    private static Term test(Attribute column, Predicate<ComparableValue> predicate) {
        DataType type = column.type();
        int number = column.number();
        return row -> switch (row.field(number)) {
            case RowCondition.Value(byte[] bytes) -> {
                ComparableValue value = ComparableValue.read(type, bytes);
                yield value == null ? Truth.UNKNOWN : Truth.of(predicate.test(value));
            }
            case RowCondition.Absent ignored -> Truth.UNKNOWN;
        };
    }

    private static Attribute column(String name, TableDefinition table) {
        return table.column(name)
                .orElseThrow(() -> new RefusedFunctionException(
                        table.layout().qualifiedName() + " has no column " + name + ", which a condition reads"));
    }

    private static Attribute comparable(String name, TableDefinition table) {
        Attribute column = column(name, table);
        if (!ComparableValue.supports(column.type())) {
            throw new RefusedFunctionException("a condition cannot compare " + name + " of type "
                    + column.type().name()
                    + ": it can compare texts, whole numbers, numerics, dates, timestamps, booleans,"
                    + " enums and UUIDs, and test any column for NULL");
        }
        return column;
    }
}
