package dev.coppice.masking.function.text;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.crypto.RandomStream;
import java.nio.charset.StandardCharsets;

/** Functions that keep a part of a text, or nothing of it. */
public final class TextFunctions {
    private static final long HASH = PseudoRandom.label("hash");
    private static final long RANDOM_STRING = PseudoRandom.label("random_string");
    private static final long FORMAT = PseudoRandom.label("random_with_format");
    private static final String HEX = "0123456789abcdef";
    private static final String LETTERS_AND_DIGITS = "abcdefghijklmnopqrstuvwxyz0123456789";

    private TextFunctions() {}

    public static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static int length(String text) {
        return text.codePointCount(0, text.length());
    }

    private static String first(String text, int count) {
        return text.substring(0, text.offsetByCodePoints(0, Math.min(count, length(text))));
    }

    private static String last(String text, int count) {
        int length = length(text);
        return text.substring(text.offsetByCodePoints(0, length - Math.min(count, length)));
    }

    /** Keeps the ends of a text, unless they would be all of it. */
    public record Partial(int prefix, String padding, int suffix) implements TextFunction {
        @Override
        public String apply(PseudoRandom random, String value) {
            int length = length(value);
            int hidden = length - prefix - suffix;
            if (hidden <= 0) {
                return "*".repeat(length);
            }
            return first(value, prefix) + first(padding, hidden) + last(value, suffix);
        }
    }

    /** Keeps two letters of each part of an e-mail address, and its top-level domain. */
    public record PartialEmail() implements TextFunction {
        private static final int SHOWN = 2;

        @Override
        public String apply(PseudoRandom random, String value) {
            int at = value.lastIndexOf('@');
            if (at < 0) {
                return "*".repeat(length(value));
            }
            String domain = value.substring(at + 1);
            int dot = domain.lastIndexOf('.');
            String name = dot < 0 ? domain : domain.substring(0, dot);
            return starred(value.substring(0, at)) + "@" + starred(name) + (dot < 0 ? "" : domain.substring(dot));
        }

        private static String starred(String part) {
            int length = length(part);
            int shown = length > SHOWN ? SHOWN : 0;
            return first(part, shown) + "*".repeat(length - shown);
        }

        @Override
        public String stranger(RandomStream stream) {
            return Email.strangerEmail(stream);
        }
    }

    /** Hexadecimal digits of a keyed hash, at most as many as the value has characters. */
    public record Hash(int digits) implements TextFunction {
        @Override
        public String apply(PseudoRandom random, String value) {
            RandomStream stream = random.stream(HASH, utf8(value));
            return pick(stream, HEX, Math.min(digits, length(value)));
        }
    }

    /** Random letters and digits. */
    public record RandomString(int characters) implements TextFunction {
        @Override
        public String apply(PseudoRandom random, String value) {
            RandomStream stream = random.stream(RANDOM_STRING, utf8(Alphabet.fold(value)));
            return pick(stream, LETTERS_AND_DIGITS, Math.min(characters, length(value)));
        }
    }

    /** A pattern in which D and # become a digit, ^ one that is not 0, and X a capital letter. */
    public record WithFormat(String format) implements TextFunction {
        @Override
        public String apply(PseudoRandom random, String value) {
            RandomStream stream = random.stream(FORMAT, utf8(Alphabet.fold(value)));
            StringBuilder result = new StringBuilder(format.length());
            format.codePoints()
                    .forEach(codePoint -> result.appendCodePoint(
                            switch (codePoint) {
                                case 'D', '#' -> '0' + stream.below(10);
                                case '^' -> '1' + stream.below(9);
                                case 'X' -> 'A' + stream.below(26);
                                default -> codePoint;
                            }));
            return result.toString();
        }
    }

    /** Filler of the same length. */
    public record Lorem() implements TextFunction {
        @Override
        public String apply(PseudoRandom random, String value) {
            return Filler.of(length(value));
        }
    }

    /** Always the same. */
    public record Constant(String text) implements TextFunction {
        @Override
        public String apply(PseudoRandom random, String value) {
            return text;
        }
    }

    /** One of some texts; those that fit, if any do. */
    public record OneOf(Dictionary texts) implements TextFunction {
        private static final long LABEL = PseudoRandom.label("random_in");

        @Override
        public String apply(PseudoRandom random, String value) {
            RandomStream stream = random.stream(LABEL, utf8(Alphabet.fold(value)));
            String picked = texts.pick(stream, length(value), utf8(value).length);
            return picked == null ? "*".repeat(length(value)) : picked;
        }
    }

    private static String pick(RandomStream stream, String letters, int count) {
        StringBuilder result = new StringBuilder(count);
        for (int i = 0; i < count; i++) {
            result.append(letters.charAt(stream.below(letters.length())));
        }
        return result.toString();
    }
}
