package dev.coppice.control.masking;

import dev.coppice.masking.function.value.RefusedFunctionException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The expression of a rule {@code sql(expression)}: SQL that only Postgres can compute, in static mode ({@link StaticMasking}).
 *
 * @param text one expression: it cannot end its parentheses or its statement
 */
record SqlExpression(String text) {
    private static final int LENGTH_MAX = 10_000;
    private static final Pattern CALL =
            Pattern.compile("\\s*sql\\s*\\((.*)\\)\\s*", Pattern.DOTALL | Pattern.CASE_INSENSITIVE);
    private static final Pattern BEGINS =
            Pattern.compile("\\s*sql\\s*\\(.*", Pattern.DOTALL | Pattern.CASE_INSENSITIVE);

    /**
     * The expression of a function, if it is this one.
     *
     * @throws RefusedFunctionException if it is, and is more or less than an expression
     */
    static Optional<SqlExpression> of(String function) {
        if (!BEGINS.matcher(function).matches()) {
            return Optional.empty();
        }
        Matcher call = CALL.matcher(function);
        if (!call.matches() || call.group(1).isBlank()) {
            throw refused("write sql(expression)");
        }
        String text = call.group(1);
        if (text.length() > LENGTH_MAX) {
            throw refused("it is longer than " + LENGTH_MAX + " characters");
        }
        check(text);
        return Optional.of(new SqlExpression(text));
    }

    /**
     * Only what can be told apart without Postgres's own lexer is let through: texts in single quotes, whose only escape is a doubled
     * quote, and names in double quotes.
     */
    private static void check(String text) {
        int depth = 0;
        for (int at = 0; at < text.length(); at++) {
            char letter = text.charAt(at);
            switch (letter) {
                case '\'', '"' -> {
                    if (letter == '\'' && at > 0 && "eE".indexOf(text.charAt(at - 1)) >= 0 && !isWord(text, at - 2)) {
                        throw refused("texts with backslash escapes (E'...') are not understood: double the quote");
                    }
                    at = closing(text, at, letter);
                }
                case '(' -> depth++;
                case ')' -> {
                    if (--depth < 0) {
                        throw refused("a parenthesis is closed that is not open");
                    }
                }
                case ';' -> throw refused("it is one expression: it has no semicolon");
                case '$' -> throw refused("dollar quotes and parameters are not understood: write 'text'");
                case '\0' -> throw refused("it has a NUL character");
                default -> {
                    if (text.startsWith("--", at) || text.startsWith("/*", at)) {
                        throw refused("it has a comment");
                    }
                }
            }
        }
        if (depth != 0) {
            throw refused("a parenthesis is not closed");
        }
    }

    private static int closing(String text, int from, char quote) {
        for (int at = from + 1; at < text.length(); at++) {
            if (text.charAt(at) == quote) {
                if (at + 1 < text.length() && text.charAt(at + 1) == quote) {
                    at++;
                } else {
                    return at;
                }
            }
        }
        throw refused("a quote is not closed");
    }

    private static boolean isWord(String text, int at) {
        return at >= 0 && (Character.isLetterOrDigit(text.charAt(at)) || text.charAt(at) == '_');
    }

    private static RefusedFunctionException refused(String why) {
        return new RefusedFunctionException("the SQL expression of a rule cannot be used: " + why);
    }
}
