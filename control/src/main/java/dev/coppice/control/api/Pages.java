package dev.coppice.control.api;

import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Cuts pages out of lists that are in memory. A cursor is the id of the last item of the page before. */
record Pages<T>(List<T> items, @Nullable String next) {
    /**
     * @param limit absent (0) = everything that follows the cursor
     * @param cursor absent = from the beginning; one that no longer exists gives an empty page
     */
    static <T> Pages<T> cut(List<T> all, Function<T, String> id, int limit, @Nullable String cursor) {
        int from = 0;
        if (cursor != null) {
            from = all.size();
            for (int i = 0; i < all.size(); i++) {
                if (id.apply(all.get(i)).equals(cursor)) {
                    from = i + 1;
                    break;
                }
            }
        }
        int to = limit == 0 ? all.size() : Math.min(all.size(), from + limit);
        List<T> items = all.subList(from, to);
        return new Pages<>(items, to < all.size() && !items.isEmpty() ? id.apply(items.getLast()) : null);
    }
}
