package dev.coppice.proxy.pool.sql;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Locale;

/**
 * Cuts SQL into words and the rest, as Postgres's scanner does (src/backend/parser/scan.l), without allocating:
 * comments, strings and dollar-quoted bodies are passed over, a quoted identifier is a word.
 */
final class SqlTokens {
    enum Token {
        WORD,
        STRING,
        /** One character: {@link #symbol}. */
        SYMBOL,
        END
    }

    private final byte[] sql;
    private final int end;
    private int position;
    private int wordStart;
    private int wordEnd;
    private boolean quoted;
    private byte symbol;
    private boolean looksIntoBodies;

    /** @param sql bytes from {@code start} to {@code end}, in any encoding whose ASCII is ASCII */
    SqlTokens(byte[] sql, int start, int end) {
        this.sql = sql;
        this.position = start;
        this.end = end;
    }

    /** From here on, the bodies between dollar quotes are read too: they run. */
    void lookIntoBodies(boolean look) {
        looksIntoBodies = look;
    }

    byte symbol() {
        return symbol;
    }

    boolean isSymbol(Token token, char c) {
        return token == Token.SYMBOL && symbol == c;
    }

    /** Whether the word just read is this one, given in lower case. */
    boolean isWord(String word) {
        int length = wordEnd - wordStart;
        if (length != word.length()) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            byte c = sql[wordStart + i];
            if ((quoted ? c : lower(c)) != word.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** Whether it is this one, without quotes: a keyword. */
    boolean isKeyword(String word) {
        return !quoted && isWord(word);
    }

    /** Its length, to spare comparisons. */
    int wordLength() {
        return wordEnd - wordStart;
    }

    /** Whether the string just read has this character in it. */
    boolean stringHas(char c) {
        int at = indexOf(wordStart, c);
        return at >= 0 && at < wordEnd;
    }

    /** The identifier just read, folded as Postgres folds. */
    String identifier() {
        String text = new String(sql, wordStart, wordEnd - wordStart, UTF_8);
        return quoted ? text.replace("\"\"", "\"") : text.toLowerCase(Locale.ROOT);
    }

    Token next() {
        while (true) {
            if (!skipSpaceAndComments()) {
                return Token.END;
            }
            byte c = sql[position];
            if (startsWord(c)) {
                return word();
            }
            switch (c) {
                case '\'' -> {
                    wordStart = position;
                    string(false);
                    wordEnd = position;
                    return Token.STRING;
                }
                case '"' -> {
                    quotedWord();
                    return Token.WORD;
                }
                case '$' -> {
                    if (!dollar()) {
                        return symbol(c);
                    }
                    if (looksIntoBodies) {
                        return symbolAt(c);
                    }
                }
                default -> {
                    if (isDigit(c)) {
                        number();
                    }
                    return isDigit(c) ? symbolAt(c) : symbol(c);
                }
            }
        }
    }

    private Token symbol(byte c) {
        position++;
        return symbolAt(c);
    }

    private Token symbolAt(byte c) {
        symbol = c;
        return Token.SYMBOL;
    }

    private void number() {
        while (position < end && (continuesWord(sql[position]) || sql[position] == '.')) {
            position++;
        }
    }

    private Token word() {
        wordStart = position;
        quoted = false;
        while (position < end && continuesWord(sql[position])) {
            position++;
        }
        wordEnd = position;
        if (position < end && sql[position] == '\'' && wordLength() == 1) {
            // E'', B'', X'' and N'': a string with a prefix.
            string(lower(sql[wordStart]) == 'e');
            wordEnd = position;
            return Token.STRING;
        }
        return Token.WORD;
    }

    private void quotedWord() {
        quoted = true;
        wordStart = ++position;
        while (position < end) {
            if (sql[position] == '"') {
                if (position + 1 < end && sql[position + 1] == '"') {
                    position++;
                } else {
                    break;
                }
            }
            position++;
        }
        wordEnd = Math.min(position, end);
        position = Math.min(position + 1, end);
    }

    private void string(boolean backslashEscapes) {
        position++;
        while (position < end) {
            byte c = sql[position++];
            if (c == '\\' && backslashEscapes) {
                position++;
            } else if (c == '\'') {
                if (position < end && sql[position] == '\'') {
                    position++;
                } else {
                    return;
                }
            }
        }
        position = Math.min(position, end);
    }

    /** @return whether it was a dollar quote, which is behind us now, or its opening when bodies are looked into */
    private boolean dollar() {
        int close = position + 1;
        while (close < end && continuesWord(sql[close]) && sql[close] != '$') {
            close++;
        }
        if (close >= end || sql[close] != '$' || isDigit(sql[position + 1])) {
            return false;
        }
        int tagLength = close + 1 - position;
        int body = close + 1;
        if (looksIntoBodies) {
            position = body;
            return true;
        }
        for (int at = body; at + tagLength <= end; at++) {
            int dollar = indexOf(at, '$');
            if (dollar < 0 || dollar + tagLength > end) {
                break;
            }
            at = dollar;
            if (same(position, at, tagLength)) {
                position = at + tagLength;
                return true;
            }
        }
        position = end;
        return true;
    }

    private boolean same(int one, int other, int length) {
        for (int i = 0; i < length; i++) {
            if (sql[one + i] != sql[other + i]) {
                return false;
            }
        }
        return true;
    }

    /** @return false at the end */
    private boolean skipSpaceAndComments() {
        while (position < end) {
            byte c = sql[position];
            if (c == ' ' || (c >= '\t' && c <= '\r')) {
                position++;
            } else if (c == '-' && position + 1 < end && sql[position + 1] == '-') {
                int newline = indexOf(position, '\n');
                position = newline < 0 ? end : newline + 1;
            } else if (c == '/' && position + 1 < end && sql[position + 1] == '*') {
                skipComment();
            } else {
                return true;
            }
        }
        return false;
    }

    private void skipComment() {
        int depth = 0;
        while (position < end) {
            byte c = sql[position];
            byte following = position + 1 < end ? sql[position + 1] : 0;
            if (c == '/' && following == '*') {
                depth++;
                position += 2;
            } else if (c == '*' && following == '/') {
                depth--;
                position += 2;
                if (depth == 0) {
                    return;
                }
            } else {
                position++;
            }
        }
        position = Math.min(position, end);
    }

    private int indexOf(int from, char c) {
        for (int at = from; at < end; at++) {
            if (sql[at] == c) {
                return at;
            }
        }
        return -1;
    }

    private static byte lower(byte c) {
        return c >= 'A' && c <= 'Z' ? (byte) (c + ('a' - 'A')) : c;
    }

    private static boolean isDigit(byte c) {
        return c >= '0' && c <= '9';
    }

    private static boolean startsWord(byte c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c < 0;
    }

    private static boolean continuesWord(byte c) {
        return startsWord(c) || isDigit(c) || c == '$';
    }
}
