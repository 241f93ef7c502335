package dev.coppice.control.api;

import dev.coppice.control.error.ControlException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Sorts lists that are in memory and cuts pages out of them. A cursor says where the page before ended, in the order that was asked for: what was
 * deleted since does not end the list, what was made since appears if it comes later.
 *
 * @param last the cursor of the last item; absent without items
 * @param next the same when more follow
 */
record Pages<T>(
        List<T> items, @Nullable String last, @Nullable String next) {
    private static final char SEPARATOR = '\n';

    /** What an order and its cursors are made of; the id makes the order total. */
    record Position(String key, String id) implements Comparable<Position> {
        /** By time; the digits sort as the times do. */
        static Position of(Instant time, String id) {
            return new Position(
                    String.format(Locale.ROOT, "%020d", ChronoUnit.MICROS.between(Instant.EPOCH, time)), id);
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
    static <T> Pages<T> cut(
            List<T> all, Function<T, Position> position, boolean descending, int limit, @Nullable String cursor) {
        Comparator<Position> order = descending ? Comparator.reverseOrder() : Comparator.naturalOrder();
        Position after = cursor == null ? null : Position.parse(cursor);
        List<T> following = all.stream()
                .filter(item -> after == null || order.compare(position.apply(item), after) > 0)
                .sorted(Comparator.comparing(position, order))
                .toList();
        List<T> items = limit == 0 || limit >= following.size() ? following : following.subList(0, limit);
        String last = items.isEmpty() ? null : position.apply(items.getLast()).cursor();
        return new Pages<>(items, last, items.size() < following.size() ? last : null);
    }
}
