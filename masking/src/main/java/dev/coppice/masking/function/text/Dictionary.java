package dev.coppice.masking.function.text;

import dev.coppice.masking.crypto.RandomStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Words to choose from by length. The lists of the module are ASCII, one entry a line; a change of a list changes what values are
 * masked to.
 */
public final class Dictionary {
    public static final Dictionary FIRST_NAMES = load("first-names");
    public static final Dictionary LAST_NAMES = load("last-names");
    public static final Dictionary CITIES = load("cities");
    public static final Dictionary COUNTRIES = load("countries");
    public static final Dictionary COUNTRY_CODES = load("country-codes");
    public static final Dictionary STREETS = load("streets");
    public static final Dictionary COMPANY_WORDS = load("company-words");
    public static final Dictionary JOBS = load("jobs");
    public static final Dictionary WORDS = load("words");
    public static final Dictionary RESERVED_DOMAINS =
            new Dictionary(List.of("example.com", "example.net", "example.org", "a.test"));
    public static final Dictionary FREE_PROVIDERS =
            new Dictionary(List.of("gmail.com", "yahoo.com", "hotmail.com", "gmx.de"));
    public static final Dictionary COMPANY_SUFFIXES = new Dictionary(List.of("Inc", "LLC", "Ltd", "AG", "Group", "Co"));

    private final String[] entries;
    /** How many entries have at most so many characters. */
    private final int[] fittingByRoom;

    public Dictionary(Collection<String> words) {
        entries = words.stream()
                .distinct()
                .sorted(Comparator.comparingInt(TextFunctions::length).thenComparing(Comparator.naturalOrder()))
                .toArray(String[]::new);
        int longest = entries.length == 0 ? 0 : TextFunctions.length(entries[entries.length - 1]);
        fittingByRoom = new int[longest + 1];
        for (int room = 0, fitting = 0; room <= longest; room++) {
            while (fitting < entries.length && TextFunctions.length(entries[fitting]) <= room) {
                fitting++;
            }
            fittingByRoom[room] = fitting;
        }
    }

    private static Dictionary load(String name) {
        String file = name + ".txt";
        try (InputStream in = Dictionary.class.getResourceAsStream(file)) {
            if (in == null) {
                throw new IllegalStateException("the list of words " + file + " is missing");
            }
            return new Dictionary(new String(in.readAllBytes(), StandardCharsets.US_ASCII)
                    .lines()
                    .toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One of the ASCII entries that have at most {@code room} characters, or null if none has. */
    @Nullable
    String pick(RandomStream stream, int room) {
        int fitting = room < 0 ? 0 : fittingByRoom[Math.min(room, fittingByRoom.length - 1)];
        return fitting == 0 ? null : entries[stream.below(fitting)];
    }

    /** One of the entries that have at most {@code room} characters and {@code roomBytes} bytes, or null if none has. */
    @Nullable
    String pick(RandomStream stream, int room, int roomBytes) {
        String[] fitting = Arrays.stream(entries)
                .filter(entry -> TextFunctions.length(entry) <= room && TextFunctions.utf8(entry).length <= roomBytes)
                .toArray(String[]::new);
        return fitting.length == 0 ? null : fitting[stream.below(fitting.length)];
    }

    public List<String> entries() {
        return List.of(entries);
    }
}
