package dev.coppice.masking.rule;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The condition of a rule: a small part of SQL's expressions, over the columns of the masked row.
 *
 * <p>What is neither true nor false (because of a NULL, or of a value that is stored out of line and cannot be read) masks the row.
 */
public sealed interface Condition {
    /** All of them. */
    record And(List<Condition> terms) implements Condition {}

    /** At least one of them. */
    record Or(List<Condition> terms) implements Condition {}

    /** Not it. */
    record Not(Condition term) implements Condition {}

    /** {@code column IS NULL}. */
    record IsNull(String column) implements Condition {}

    /** {@code column operator 'literal'}. */
    record Comparison(String column, Operator operator, String literal) implements Condition {}

    /** {@code column IN (...)}. */
    record In(String column, List<String> literals) implements Condition {}

    /** {@code column LIKE 'pattern'}. */
    record Like(String column, String pattern) implements Condition {}

    /** Comparisons. */
    enum Operator {
        EQUAL("="),
        NOT_EQUAL("<>"),
        LESS("<"),
        LESS_OR_EQUAL("<="),
        GREATER(">"),
        GREATER_OR_EQUAL(">=");

        private final String sql;

        Operator(String sql) {
            this.sql = sql;
        }

        @Override
        public String toString() {
            return sql;
        }

        boolean holds(int comparison) {
            return switch (this) {
                case EQUAL -> comparison == 0;
                case NOT_EQUAL -> comparison != 0;
                case LESS -> comparison < 0;
                case LESS_OR_EQUAL -> comparison <= 0;
                case GREATER -> comparison > 0;
                case GREATER_OR_EQUAL -> comparison >= 0;
            };
        }
    }

    /**
     * Parses a condition: comparisons ({@code = <> != < <= > >=}), {@code IN}, {@code LIKE}, {@code IS [NOT] NULL}, bare boolean columns,
     * {@code AND OR NOT} and parentheses.
     *
     * @throws dev.coppice.masking.function.value.RefusedFunctionException if it is none, with the position
     */
    static Condition parse(String text) {
        return new ConditionParser(text).parse();
    }

    /** The columns that it reads. */
    default Set<String> columns() {
        return switch (this) {
            case And(List<Condition> terms) -> columns(terms);
            case Or(List<Condition> terms) -> columns(terms);
            case Not(Condition term) -> term.columns();
            case IsNull(String column) -> Set.of(column);
            case Comparison(String column, Operator ignored, String literal) -> Set.of(column);
            case In(String column, List<String> ignored) -> Set.of(column);
            case Like(String column, String ignored) -> Set.of(column);
        };
    }

    private static Set<String> columns(List<Condition> terms) {
        return terms.stream().flatMap(term -> term.columns().stream()).collect(Collectors.toCollection(TreeSet::new));
    }
}
