package dev.coppice.masking.function.json;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.format.Jsonb;
import dev.coppice.masking.format.MalformedValueException;
import dev.coppice.masking.format.PgNumeric;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One pass over a JSON text that copies it and masks the leaves that rules lead to. */
final class JsonTextRewriter {
    private static final int MAX_NUMBER = 1000;

    private final String text;
    private final List<JsonRule> rules;
    private final PseudoRandom random;
    private final StringBuilder out;

    /** Not the thread's stack: a document may be deeper than that. */
    private final Deque<OpenContainer> open = new ArrayDeque<>();

    private int at;

    JsonTextRewriter(String text, List<JsonRule> rules, PseudoRandom random) {
        this.text = text;
        this.rules = rules;
        this.random = random;
        this.out = new StringBuilder(text.length());
    }

    String rewrite() {
        begin(rules.stream().mapToLong(rule -> rule.path().start()).toArray(), null);
        while (!open.isEmpty()) {
            goOn(open.element());
        }
        space();
        if (at != text.length()) {
            throw malformed();
        }
        return out.toString();
    }

    /** An object or array that is not closed yet. */
    private static final class OpenContainer {
        private final char close;
        private final long[] positions;
        private final @Nullable JsonLeaves leaves;
        private int children;

        OpenContainer(char close, long[] positions, @Nullable JsonLeaves leaves) {
            this.close = close;
            this.positions = positions;
            this.leaves = leaves;
        }
    }

    /** Copies a leaf, or the beginning of a container. */
    private void begin(long[] positions, @Nullable JsonLeaves inherited) {
        JsonLeaves leaves = inherited;
        for (int i = 0; leaves == null && i < positions.length; i++) {
            leaves = rules.get(i).path().matches(positions[i]) ? rules.get(i).leaves() : null;
        }
        space();
        switch (peek()) {
            case '{', '[' -> {
                if (open.size() == Jsonb.MAX_DEPTH) {
                    throw malformed();
                }
                open.push(new OpenContainer(peek() == '{' ? '}' : ']', positions, leaves));
                copy(peek());
            }
            case '"' -> string(leaves);
            case 't', 'f', 'n' -> literal(leaves);
            default -> number(leaves);
        }
    }

    /** Copies a container's next child as {@link #begin} does, or its end. */
    private void goOn(OpenContainer container) {
        space();
        char wanted = container.children == 0 ? container.close : ',';
        if ((peek() == wanted) == (container.children == 0)) {
            copy(container.close);
            open.pop();
            return;
        }
        if (container.children > 0) {
            copy(',');
        }
        int index = container.children++;
        if (container.close == ']') {
            begin(descend(container.positions, null, index), container.leaves);
            return;
        }
        space();
        int start = at;
        String key = parseString();
        out.append(text, start, at);
        space();
        copy(':');
        begin(descend(container.positions, key, 0), container.leaves);
    }

    private long[] descend(long[] positions, @Nullable String key, int index) {
        long[] next = new long[positions.length];
        for (int i = 0; i < next.length; i++) {
            next[i] = rules.get(i).path().descend(positions[i], key, index);
        }
        return next;
    }

    private void string(@Nullable JsonLeaves leaves) {
        int start = at;
        String content = parseString();
        if (leaves == null) {
            out.append(text, start, at);
            return;
        }
        byte[] masked = leaves.string(random, content.getBytes(StandardCharsets.UTF_8));
        int room = text.substring(start + 1, at - 1).getBytes(StandardCharsets.UTF_8).length;
        out.append('"')
                .append(escaped(new String(masked, StandardCharsets.UTF_8), room))
                .append('"');
    }

    /** As much of a string as has {@code room} bytes with its escapes. */
    private static String escaped(String content, int room) {
        StringBuilder result = new StringBuilder(content.length());
        int left = room;
        for (int i = 0; i < content.length(); ) {
            int codePoint = content.codePointAt(i);
            String piece = switch (codePoint) {
                case '"' -> "\\\"";
                case '\\' -> "\\\\";
                case '\n' -> "\\n";
                case '\r' -> "\\r";
                case '\t' -> "\\t";
                case '\b' -> "\\b";
                case '\f' -> "\\f";
                default ->
                    codePoint < 0x20
                            ? "\\u00" + Integer.toHexString(0x100 + codePoint).substring(1)
                            : Character.toString(codePoint);
            };
            left -= piece.getBytes(StandardCharsets.UTF_8).length;
            if (left < 0) {
                break;
            }
            result.append(piece);
            i += Character.charCount(codePoint);
        }
        return result.toString();
    }

    /** Passes over a string and returns its content. */
    private String parseString() {
        if (peek() != '"') {
            throw malformed();
        }
        StringBuilder content = new StringBuilder();
        at++;
        while (peek() != '"') {
            char next = next();
            content.append(next == '\\' ? escape() : next);
        }
        at++;
        return content.toString();
    }

    private char escape() {
        char kind = next();
        return switch (kind) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'u' -> {
                int code = 0;
                for (int i = 0; i < 4; i++) {
                    int digit = Character.digit(next(), 16);
                    if (digit < 0) {
                        throw malformed();
                    }
                    code = code * 16 + digit;
                }
                yield (char) code;
            }
            case '"', '\\', '/' -> kind;
            default -> throw malformed();
        };
    }

    private void literal(@Nullable JsonLeaves leaves) {
        for (String word : List.of("true", "false", "null")) {
            if (text.startsWith(word, at)) {
                at += word.length();
                // true has no room for false, so neither tells what was there.
                out.append(leaves == null ? word : "null");
                return;
            }
        }
        throw malformed();
    }

    private void number(@Nullable JsonLeaves leaves) {
        int start = at;
        while (at < text.length() && "+-0123456789.eE".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        String token = text.substring(start, at);
        if (token.isEmpty()) {
            throw malformed();
        }
        out.append(leaves == null ? token : masked(leaves, token));
    }

    private String masked(JsonLeaves leaves, String token) {
        BigDecimal number;
        try {
            number = new BigDecimal(token);
        } catch (NumberFormatException e) {
            throw malformed();
        }
        // 1e1000000 is short as a text, and a megabyte as a number.
        if (number.precision() > MAX_NUMBER || Math.abs((long) number.scale()) > MAX_NUMBER) {
            return "0";
        }
        BigDecimal result = PgNumeric.decode(leaves.numeric(random, PgNumeric.encode(number)));
        String plain = result == null ? "0" : result.toPlainString();
        return plain.length() <= token.length() ? plain : "0";
    }

    private char peek() {
        return at < text.length() ? text.charAt(at) : '\0';
    }

    private char next() {
        if (at >= text.length()) {
            throw malformed();
        }
        return text.charAt(at++);
    }

    private void copy(char wanted) {
        if (next() != wanted) {
            throw malformed();
        }
        out.append(wanted);
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            out.append(text.charAt(at++));
        }
    }

    private static MalformedValueException malformed() {
        return new MalformedValueException("a json document is malformed");
    }
}
