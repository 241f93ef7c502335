package dev.coppice.masking.function.text;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.format.MalformedValueException;
import dev.coppice.masking.function.value.ValueMask;
import dev.coppice.masking.layout.ScalarType;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A text function on text, varchar, bpchar, citext and name, in UTF-8. */
public record TextMask(ScalarType type, TextFunction function) implements ValueMask {
    private static final long STRANGER = PseudoRandom.label("text out of line");

    /** name holds 63 bytes and a NUL. */
    private static final int NAME_LENGTH = 64;

    @Override
    public byte[] mask(PseudoRandom random, byte[] value) {
        return switch (type) {
            case NAME -> name(random, value);
            case BPCHAR -> padded(random, value);
            default -> masked(random, value, value.length);
        };
    }

    private byte[] masked(PseudoRandom random, byte[] value, int length) {
        if (length == 0) {
            return new byte[0];
        }
        String text = decode(value, length);
        byte[] result = function.apply(random, text).getBytes(StandardCharsets.UTF_8);
        return cut(result, length, text.codePointCount(0, text.length()));
    }

    private byte[] name(PseudoRandom random, byte[] value) {
        int length = 0;
        while (length < NAME_LENGTH - 1 && value[length] != 0) {
            length++;
        }
        return Arrays.copyOf(masked(random, value, length), NAME_LENGTH);
    }

    /** A bpchar is compared without its trailing blanks, and has as many characters as its type says. */
    private byte[] padded(PseudoRandom random, byte[] value) {
        int length = value.length;
        while (length > 0 && value[length - 1] == ' ') {
            length--;
        }
        byte[] result = masked(random, value, length);
        int blanks = value.length - length + characters(value, length) - characters(result, result.length);
        byte[] whole = Arrays.copyOf(result, result.length + blanks);
        Arrays.fill(whole, result.length, whole.length, (byte) ' ');
        return whole;
    }

    private static String decode(byte[] value, int length) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(value, 0, length))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new MalformedValueException("a text is not UTF-8");
        }
    }

    private static int characters(byte[] utf8, int length) {
        int characters = 0;
        for (int i = 0; i < length; i++) {
            characters += isContinuation(utf8[i]) ? 0 : 1;
        }
        return characters;
    }

    private static boolean isContinuation(byte octet) {
        return (octet & 0xC0) == 0x80;
    }

    private static byte[] cut(byte[] utf8, int bytes, int characters) {
        int end = 0;
        int seen = 0;
        for (int i = 0; i <= utf8.length && i <= bytes; i++) {
            if (i == utf8.length || !isContinuation(utf8[i])) {
                end = i;
                if (seen++ == characters) {
                    break;
                }
            }
        }
        return end == utf8.length ? utf8 : Arrays.copyOf(utf8, end);
    }

    @Override
    public byte[] substitute(PseudoRandom random, byte[] identity) {
        String stranger = function.stranger(random.stream(STRANGER, identity));
        return mask(random, stranger.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public byte[] shorten(byte[] masked, int capacity) {
        return cut(masked, capacity, capacity);
    }

    @Override
    public byte[] blank() {
        return type == ScalarType.NAME ? new byte[NAME_LENGTH] : new byte[0];
    }
}
