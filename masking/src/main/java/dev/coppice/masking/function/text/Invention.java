package dev.coppice.masking.function.text;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.crypto.RandomStream;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Realistic texts from the dictionaries, of at most the length of the value; where it is shorter than all of them, its pseudonym. The
 * result is in capitals or small letters if the value is, so case rules hold.
 */
public record Invention(String name, Recipe recipe) implements TextFunction {
    /** Makes a text of at most {@code room} characters, or null if that is too few. */
    @FunctionalInterface
    public interface Recipe {
        @Nullable
        String make(RandomStream stream, int room);
    }

    @Override
    public String apply(PseudoRandom random, String value) {
        String folded = Alphabet.fold(value);
        RandomStream stream = random.stream(PseudoRandom.label(name), TextFunctions.utf8(folded));
        String made = recipe.make(stream, TextFunctions.length(value));
        if (made == null) {
            return TextPseudonym.permute(random, PseudoRandom.label(name), value);
        }
        if (Alphabet.hasSmallLetter(value)) {
            return value.equals(folded) ? made.toLowerCase(Locale.ROOT) : made;
        }
        return value.equals(folded) ? made : made.toUpperCase(Locale.ROOT);
    }

    public static Recipe from(Dictionary dictionary) {
        return dictionary::pick;
    }

    /** Two words with a blank between them, or one if there is no room for both. */
    public static Recipe pair(Recipe first, Recipe second) {
        return (stream, room) -> {
            String one = first.make(stream, room > 8 ? room / 2 : room);
            String two = one == null ? null : second.make(stream, room - one.length() - 1);
            return one == null || two == null ? one : one + " " + two;
        };
    }

    /** A number and a street. */
    public static @Nullable String street(RandomStream stream, int room) {
        String number = Long.toString(1 + stream.below(room > 12 ? 199L : 9L));
        String street = Dictionary.STREETS.pick(stream, room - number.length() - 1);
        return street == null ? null : number + " " + street;
    }

    /** A short name and a number. */
    public static @Nullable String userName(RandomStream stream, int room) {
        int digits = Math.clamp(room - 4L, 0, 4);
        String first = Dictionary.FIRST_NAMES.pick(stream, room - digits);
        StringBuilder result = new StringBuilder(first == null ? "" : first.toLowerCase(Locale.ROOT));
        for (int i = 0; i < digits; i++) {
            result.append(stream.below(10));
        }
        return first == null ? null : result.toString();
    }

    /** Words up to the length, at least one. */
    public static @Nullable String words(RandomStream stream, int room) {
        StringBuilder text = new StringBuilder(room);
        // Fresh words for the beginning, then filler: a long text has to compress.
        for (int left = Math.min(room, 64); left > 0; left = Math.min(room, 64) - text.length() - 1) {
            String word = Dictionary.WORDS.pick(stream, left);
            if (word == null) {
                break;
            }
            text.append(text.isEmpty() ? "" : " ").append(word);
        }
        return text.isEmpty() ? null : room <= 64 ? text.toString() : Filler.after(text.toString(), room);
    }

    /** An IPv4 address in 10.0.0.0/8. */
    public static @Nullable String ipv4(RandomStream stream, int room) {
        if (room < 8) {
            return null;
        }
        int most = room >= 14 ? 255 : 9;
        return "10." + stream.below(most + 1L) + "." + stream.below(most + 1L) + "." + stream.below(most + 1L);
    }

    /** A unique local IPv6 address. */
    public static @Nullable String ipv6(RandomStream stream, int room) {
        if (room < 10) {
            return ipv4(stream, room);
        }
        StringBuilder address = new StringBuilder("fd00:");
        int groups = Math.min(7, (room - 5) / 5);
        if (groups < 7) {
            address.append(':');
            groups = Math.min(6, (room - 6 + 1) / 5);
        }
        for (int i = 0; i < groups; i++) {
            address.append(i == 0 ? "" : ":").append(Integer.toHexString(0x1000 + stream.below(0xF000)));
        }
        return address.toString();
    }

    /** A locally administered MAC address. */
    public static @Nullable String mac(RandomStream stream, int room) {
        if (room < 17) {
            return null;
        }
        StringBuilder address = new StringBuilder("02");
        for (int i = 0; i < 5; i++) {
            address.append(':').append(Integer.toHexString(0x100 + stream.below(0x100)), 1, 3);
        }
        return address.toString();
    }

    /** A random (version 4) UUID. */
    public static @Nullable String uuid(RandomStream stream, int room) {
        if (room < 36) {
            return null;
        }
        long high = stream.nextLong() & ~0xF000L | 0x4000L;
        long low = stream.nextLong() >>> 2 | 1L << 63;
        return new java.util.UUID(high, low).toString();
    }
}
