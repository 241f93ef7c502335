package dev.coppice.control.api.view;

import dev.coppice.control.error.ControlException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Sorts lists that are in memory and cuts pages out of them. A cursor says where the page before ended, in the order that was asked for: what was
 * deleted since does not end the list, what was made since appears if it comes later.
 *
 * @param last the cursor of the last item; absent without items
 * @param next the same when more follow
 */
public record Pages<T>(
        List<T> items, @Nullable String last, @Nullable String next) {
    private static final char SEPARATOR = '\n';
    private static final int TIME_DIGITS = 20;

    /** What an order and its cursors are made of; the id makes the order total. */
    public record Position(String key, String id) implements Comparable<Position> {
        /** By time; the digits sort as the times do. */
        public static Position of(Instant time, String id) {
            String micros = Long.toString(ChronoUnit.MICROS.between(Instant.EPOCH, time));
            return new Position("0".repeat(TIME_DIGITS - micros.length()) + micros, id);
        }

        @Override
        public int compareTo(Position other) {
            int byKey = key.compareTo(other.key);
            return byKey != 0 ? byKey : id.compareTo(other.id);
        }

        private String cursor() {
            return Base64.getUrlEncoder()
                    .withoutPadding()
                    .encodeToString((key + SEPARATOR + id).getBytes(StandardCharsets.UTF_8));
        }

        private static Position parse(String cursor) {
            try {
                String text = new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.UTF_8);
                int separator = text.lastIndexOf(SEPARATOR);
                if (separator >= 0) {
                    return new Position(text.substring(0, separator), text.substring(separator + 1));
                }
            } catch (IllegalArgumentException e) {
                throw new ControlException(ControlException.Kind.INVALID, "cursor: is not one of ours", e);
            }
            throw ControlException.invalid("cursor: is not one of ours");
        }
    }

    /**
     * @param limit 0 = everything that follows the cursor
     * @param cursor absent = from the beginning
     */
    public static <T> Pages<T> cut(
            List<T> all, Function<T, Position> position, boolean descending, int limit, @Nullable String cursor) {
        Comparator<Position> order = descending ? Comparator.reverseOrder() : Comparator.naturalOrder();
        Position after = cursor == null ? null : Position.parse(cursor);
        List<Placed<T>> following = new ArrayList<>();
        for (T item : all) {
            Position at = position.apply(item);
            if (after == null || order.compare(at, after) > 0) {
                following.add(new Placed<>(at, item));
            }
        }
        following.sort(Comparator.comparing(Placed::at, order));
        List<Placed<T>> shown = limit == 0 || limit >= following.size() ? following : following.subList(0, limit);
        String last = shown.isEmpty() ? null : shown.getLast().at().cursor();
        return new Pages<>(
                shown.stream().map(Placed::item).toList(), last, shown.size() < following.size() ? last : null);
    }

    private record Placed<T>(Position at, T item) {}
}
