package dev.coppice.masking.function;

import dev.coppice.masking.function.FunctionCall.Argument;
import dev.coppice.masking.function.value.RefusedFunctionException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Reads {@code [schema.]name(argument, ...)}: arguments are {@code 'text'}, numbers, {@code true}, {@code false}, {@code NULL},
 * columns, calls, and {@code ARRAY[...]} of these; casts ({@code ::type}), the names of arguments ({@code name := }) and of the types
 * of literals ({@code DATE '2026-01-31'}) are passed over. The words of a security label may stand before it.
 */
final class FunctionParser {
    private static final int MAX_LENGTH = 10_000;
    private static final int MAX_DEPTH = 8;
    private static final int MAX_ARGUMENTS = 1000;
    private static final String FUNCTION_LABEL = "MASKED WITH FUNCTION";
    private static final String VALUE_LABEL = "MASKED WITH VALUE";
    private static final String SAFE_LABEL = "NOT MASKED";

    private final String text;
    private int at;

    FunctionParser(String text) {
        this.text = text;
        if (text.length() > MAX_LENGTH) {
            throw new RefusedFunctionException("a function call of " + text.length() + " characters is too long");
        }
    }

    FunctionCall parse() {
        skipSpace();
        FunctionCall call;
        if (label(SAFE_LABEL)) {
            call = new FunctionCall("keep", List.of());
        } else if (label(VALUE_LABEL)) {
            List<Argument> value = new ArrayList<>();
            argument(value, 0);
            call = new FunctionCall("value", value);
        } else {
            label(FUNCTION_LABEL);
            call = call(name(), 0);
        }
        skipSpace();
        if (at < text.length()) {
            throw error("nothing more was expected; what needs an SQL expression can be updated in the branch by SQL");
        }
        return call;
    }

    private boolean label(String words) {
        boolean here = text.regionMatches(true, at, words, 0, words.length());
        at += here ? words.length() : 0;
        return here;
    }

    /** After the name, from the parenthesis. */
    private FunctionCall call(String name, int depth) {
        if (depth > MAX_DEPTH) {
            throw error("calls are nested too deeply");
        }
        expect('(');
        List<Argument> arguments = new ArrayList<>();
        list(arguments, ')', depth);
        cast();
        return new FunctionCall(name, arguments);
    }

    private void list(List<Argument> into, char end, int depth) {
        skipSpace();
        if (accept(end)) {
            return;
        }
        do {
            argument(into, depth);
            if (into.size() > MAX_ARGUMENTS) {
                throw error("more than " + MAX_ARGUMENTS + " arguments");
            }
            skipSpace();
        } while (accept(','));
        expect(end);
    }

    private void argument(List<Argument> into, int depth) {
        skipSpace();
        char next = peek();
        if (next == '\'') {
            into.add(new FunctionCall.Text(string()));
        } else if (next == '-' || next == '+' || next == '.' || isDigit(next)) {
            into.add(new FunctionCall.Numeral(number()));
        } else {
            named(into, depth);
        }
        cast();
    }

    private void named(List<Argument> into, int depth) {
        String name = name();
        skipSpace();
        if (peek() == '(') {
            into.add(new FunctionCall.Nested(call(name, depth + 1)));
            return;
        }
        if (text.startsWith(":=", at) || text.startsWith("=>", at)) {
            at += 2;
            if (depth > MAX_DEPTH) {
                throw error("arguments are nested too deeply");
            }
            argument(into, depth + 1);
            return;
        }
        if (peek() == '\'') {
            into.add(new FunctionCall.Text(string()));
            return;
        }
        switch (name) {
            case "true" -> into.add(new FunctionCall.Flag(true));
            case "false" -> into.add(new FunctionCall.Flag(false));
            case "null" -> into.add(new FunctionCall.Nothing());
            case "array" -> {
                expect('[');
                list(into, ']', depth + 1);
            }
            default -> into.add(new FunctionCall.Column(name));
        }
    }

    /** A name without its schema; unquoted ones in lower case. */
    private String name() {
        String name;
        do {
            skipSpace();
            name = peek() == '"' ? quoted('"') : identifier();
            skipSpace();
        } while (accept('.'));
        return name;
    }

    private String identifier() {
        int start = at;
        while (at < text.length() && (Character.isLetterOrDigit(text.charAt(at)) || text.charAt(at) == '_')) {
            at++;
        }
        if (at == start) {
            throw error("a function or column name was expected");
        }
        return text.substring(start, at).toLowerCase(Locale.ROOT);
    }

    private String string() {
        return quoted('\'');
    }

    private String quoted(char quote) {
        StringBuilder value = new StringBuilder();
        at++;
        while (true) {
            if (at >= text.length()) {
                throw error("a quote is not closed");
            }
            char next = text.charAt(at++);
            if (next != quote) {
                value.append(next);
            } else if (peek() == quote) {
                value.append(quote);
                at++;
            } else {
                return value.toString();
            }
        }
    }

    private BigDecimal number() {
        int start = at++;
        while (at < text.length() && (isDigit(text.charAt(at)) || text.charAt(at) == '.')) {
            at++;
        }
        try {
            return new BigDecimal(text.substring(start, at));
        } catch (NumberFormatException e) {
            throw error("a number was expected");
        }
    }

    /** Passes over {@code ::type}: the column's type decides. */
    private void cast() {
        skipSpace();
        while (text.startsWith("::", at)) {
            at += 2;
            name();
            if (accept('(')) {
                list(new ArrayList<>(), ')', MAX_DEPTH);
            }
            if (accept('[')) {
                expect(']');
            }
            skipSpace();
        }
    }

    private static boolean isDigit(char letter) {
        return letter >= '0' && letter <= '9';
    }

    private char peek() {
        return at < text.length() ? text.charAt(at) : '\0';
    }

    private boolean accept(char wanted) {
        if (peek() == wanted) {
            at++;
            return true;
        }
        return false;
    }

    private void expect(char wanted) {
        skipSpace();
        if (!accept(wanted)) {
            throw error("'" + wanted + "' was expected");
        }
    }

    private void skipSpace() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }

    private RefusedFunctionException error(String what) {
        return new RefusedFunctionException(
                "the function '" + text + "' cannot be understood at character " + (at + 1) + ": " + what);
    }
}
