package dev.coppice.masking.function.text;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/** The word lists that are too short for files of their own: a line each, {@code name: entry|entry}. */
public final class SmallLists {
    private static final Map<String, Dictionary> LISTS = load();

    /** Their names. */
    public static final Set<String> NAMES = LISTS.keySet();

    private SmallLists() {}

    public static Invention.Recipe recipe(String name) {
        return Invention.from(Objects.requireNonNull(LISTS.get(name)));
    }

    private static Map<String, Dictionary> load() {
        try (InputStream in = SmallLists.class.getResourceAsStream("small-lists.txt")) {
            if (in == null) {
                throw new IllegalStateException("the word lists of small-lists.txt are missing");
            }
            Map<String, Dictionary> lists = new TreeMap<>();
            new String(in.readAllBytes(), StandardCharsets.US_ASCII).lines().forEach(line -> {
                int colon = line.indexOf(": ");
                lists.put(
                        line.substring(0, colon),
                        new Dictionary(List.of(line.substring(colon + 2).split("\\|"))));
            });
            return lists;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
