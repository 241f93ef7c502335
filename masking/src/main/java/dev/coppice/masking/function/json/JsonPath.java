package dev.coppice.masking.function.json;

import dev.coppice.masking.function.value.RefusedFunctionException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where in a JSON document a function applies: {@code $.contact.email}, {@code $.items[*].name}, {@code $.tags[0]},
 * {@code $.*}, {@code $..email} (at any depth), {@code $."a key"}.
 */
public final class JsonPath {
    private static final int MAX_LENGTH = 1000;
    /** Positions are bits of a long. */
    private static final int MAX_STEPS = 60;

    private sealed interface Step {}

    private record Key(String name) implements Step {}

    private record AnyKey() implements Step {}

    private record Index(int index) implements Step {}

    private record AnyIndex() implements Step {}

    /** Any number of keys and indexes. */
    private record Descent() implements Step {}

    private final String text;
    private final List<Step> steps = new ArrayList<>();

    private JsonPath(String text) {
        this.text = text;
    }

    /**
     * Parses a path.
     *
     * @throws RefusedFunctionException if it is none
     */
    public static JsonPath parse(String text) {
        JsonPath path = new JsonPath(text);
        if (text.length() > MAX_LENGTH || !text.startsWith("$")) {
            throw path.error();
        }
        int at = 1;
        while (at < text.length()) {
            at = path.step(at);
            if (path.steps.size() > MAX_STEPS) {
                throw path.error();
            }
        }
        return path;
    }

    private int step(int from) {
        if (text.charAt(from) == '[') {
            int end = text.indexOf(']', from);
            if (end < 0) {
                throw error();
            }
            String index = text.substring(from + 1, end);
            if (!index.equals("*") && !index.matches("\\d{1,9}")) {
                throw error();
            }
            steps.add(index.equals("*") ? new AnyIndex() : new Index(Integer.parseInt(index)));
            return end + 1;
        }
        if (text.charAt(from) != '.') {
            throw error();
        }
        int at = from + 1;
        if (at < text.length() && text.charAt(at) == '.') {
            steps.add(new Descent());
            at++;
        }
        if (at < text.length() && text.charAt(at) == '"') {
            int end = text.indexOf('"', at + 1);
            if (end < 0) {
                throw error();
            }
            steps.add(new Key(text.substring(at + 1, end)));
            return end + 1;
        }
        int end = at;
        while (end < text.length() && text.charAt(end) != '.' && text.charAt(end) != '[') {
            end++;
        }
        if (end == at) {
            throw error();
        }
        String key = text.substring(at, end);
        steps.add(key.equals("*") ? new AnyKey() : new Key(key));
        return end;
    }

    private RefusedFunctionException error() {
        return new RefusedFunctionException("'" + text
                + "' is no path: write $ and then .key, .\"key\", .*, [0], [*] or ..key, like $.contact.email");
    }

    /** The positions that a walk of the document is at: at its root. */
    long start() {
        return 1;
    }

    /** Whether what a walk is at is what the path names. */
    boolean matches(long positions) {
        return (positions & 1L << steps.size()) != 0;
    }

    /** The positions after going to a member of an object (by its key) or an element of an array (null, and its index). */
    long descend(long positions, @Nullable String key, int index) {
        long next = 0;
        for (int i = 0; i < steps.size(); i++) {
            if ((positions & 1L << i) == 0) {
                continue;
            }
            if (steps.get(i) instanceof Descent) {
                // Stay, or let the step after it see this child too.
                next |= 1L << i;
                if (accepts(steps.get(i + 1), key, index)) {
                    next |= 1L << i + 2;
                }
            } else if (accepts(steps.get(i), key, index)) {
                next |= 1L << i + 1;
            }
        }
        return next;
    }

    private static boolean accepts(Step step, @Nullable String key, int index) {
        return switch (step) {
            case Key(String name) -> name.equals(key);
            case AnyKey ignored -> key != null;
            case Index(int wanted) -> key == null && wanted == index;
            case AnyIndex ignored -> key == null;
            case Descent ignored -> false;
        };
    }

    @Override
    public String toString() {
        return text;
    }
}
