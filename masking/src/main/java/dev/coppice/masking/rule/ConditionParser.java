package dev.coppice.masking.rule;

import dev.coppice.masking.function.value.RefusedFunctionException;
import dev.coppice.masking.rule.Condition.Operator;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Recursive descent over OR, AND, NOT and predicates. */
final class ConditionParser {
    private static final int MAX_LENGTH = 10_000;
    private static final int MAX_DEPTH = 50;

    private final String text;
    private int at;
    private int depth;

    ConditionParser(String text) {
        this.text = text;
        if (text.length() > MAX_LENGTH) {
            throw new RefusedFunctionException("a condition of " + text.length() + " characters is too long");
        }
    }

    Condition parse() {
        Condition condition = or();
        space();
        if (at < text.length()) {
            throw error("nothing more was expected");
        }
        return condition;
    }

    private Condition or() {
        if (++depth > MAX_DEPTH) {
            throw error("it is nested too deeply");
        }
        List<Condition> terms = new ArrayList<>();
        do {
            terms.add(and());
        } while (keyword("or"));
        depth--;
        return terms.size() == 1 ? terms.getFirst() : new Condition.Or(terms);
    }

    private Condition and() {
        List<Condition> terms = new ArrayList<>();
        do {
            terms.add(not());
        } while (keyword("and"));
        return terms.size() == 1 ? terms.getFirst() : new Condition.And(terms);
    }

    private Condition not() {
        boolean negated = false;
        while (keyword("not")) {
            negated = !negated;
        }
        Condition term = primary();
        return negated ? new Condition.Not(term) : term;
    }

    private Condition primary() {
        if (symbol("(")) {
            Condition inner = or();
            require(")");
            return inner;
        }
        String column = column();
        if (keyword("is")) {
            boolean negated = keyword("not");
            if (!keyword("null")) {
                throw error("NULL was expected");
            }
            return negated ? new Condition.Not(new Condition.IsNull(column)) : new Condition.IsNull(column);
        }
        boolean negated = keyword("not");
        if (keyword("in")) {
            return negate(negated, new Condition.In(column, literals()));
        }
        if (keyword("like")) {
            return negate(negated, new Condition.Like(column, literal()));
        }
        if (negated) {
            throw error("IN or LIKE was expected");
        }
        Operator operator = operator();
        return operator == null
                ? new Condition.Comparison(column, Operator.EQUAL, "true")
                : new Condition.Comparison(column, operator, literal());
    }

    private static Condition negate(boolean negated, Condition condition) {
        return negated ? new Condition.Not(condition) : condition;
    }

    private @org.jspecify.annotations.Nullable Operator operator() {
        if (symbol("<>") || symbol("!=")) {
            return Operator.NOT_EQUAL;
        }
        if (symbol("<=")) {
            return Operator.LESS_OR_EQUAL;
        }
        if (symbol(">=")) {
            return Operator.GREATER_OR_EQUAL;
        }
        if (symbol("<")) {
            return Operator.LESS;
        }
        if (symbol(">")) {
            return Operator.GREATER;
        }
        return symbol("=") ? Operator.EQUAL : null;
    }

    private List<String> literals() {
        List<String> literals = new ArrayList<>();
        require("(");
        do {
            literals.add(literal());
        } while (symbol(","));
        require(")");
        return literals;
    }

    private String literal() {
        space();
        if (at < text.length() && text.charAt(at) == '\'') {
            return quoted('\'');
        }
        int start = at;
        while (at < text.length() && (isWord(text.charAt(at)) || "+-.".indexOf(text.charAt(at)) >= 0)) {
            at++;
        }
        String word = text.substring(start, at);
        boolean plain = !word.isEmpty()
                && (Character.isDigit(word.charAt(word.length() - 1))
                        || word.equalsIgnoreCase("true")
                        || word.equalsIgnoreCase("false"));
        if (!plain) {
            at = start;
            throw error("a literal was expected: 'text', a number, true or false");
        }
        return word.toLowerCase(Locale.ROOT);
    }

    private String column() {
        space();
        if (at < text.length() && text.charAt(at) == '"') {
            return quoted('"');
        }
        int start = at;
        while (at < text.length() && isWord(text.charAt(at))) {
            at++;
        }
        if (start == at) {
            throw error("a column was expected");
        }
        return text.substring(start, at).toLowerCase(Locale.ROOT);
    }

    private static boolean isWord(char letter) {
        return Character.isLetterOrDigit(letter) || letter == '_';
    }

    private String quoted(char quote) {
        StringBuilder value = new StringBuilder();
        at++;
        while (at < text.length()) {
            char next = text.charAt(at++);
            if (next != quote) {
                value.append(next);
            } else if (at < text.length() && text.charAt(at) == quote) {
                value.append(quote);
                at++;
            } else {
                return value.toString();
            }
        }
        throw error("a quote is not closed");
    }

    private boolean keyword(String word) {
        space();
        boolean here = text.regionMatches(true, at, word, 0, word.length())
                && (at + word.length() == text.length() || !isWord(text.charAt(at + word.length())));
        at += here ? word.length() : 0;
        return here;
    }

    private boolean symbol(String symbol) {
        space();
        boolean here = text.startsWith(symbol, at);
        at += here ? symbol.length() : 0;
        return here;
    }

    private void require(String symbol) {
        if (!symbol(symbol)) {
            throw error("'" + symbol + "' was expected");
        }
    }

    private void space() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }

    private RefusedFunctionException error(String what) {
        return new RefusedFunctionException(
                "the condition '" + text + "' cannot be understood at character " + (at + 1) + ": " + what);
    }
}
