package dev.coppice.control.api.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.control.error.ControlException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PagesTest {
    private record Item(String id, Instant at) {}

    private static Item item(int number) {
        // Two of a time each: the id decides between them.
        return new Item("id-" + number, Instant.ofEpochSecond(1_000 + number / 2));
    }

    private static Pages<Item> cut(List<Item> items, boolean descending, int limit, @Nullable String cursor) {
        return Pages.cut(items, item -> Pages.Position.of(item.at(), item.id()), descending, limit, cursor);
    }

    @Test
    void pages_have_everything_once_in_either_order() {
        List<Item> items = new ArrayList<>();
        for (int i = 9; i >= 0; i--) {
            items.add(item(i));
        }
        for (boolean descending : new boolean[] {false, true}) {
            List<Item> seen = new ArrayList<>();
            String cursor = null;
            do {
                Pages<Item> page = cut(items, descending, 3, cursor);
                seen.addAll(page.items());
                cursor = page.next();
            } while (cursor != null);
            List<Item> sorted = new ArrayList<>(items);
            sorted.sort(java.util.Comparator.comparing(Item::at).thenComparing(Item::id));
            assertThat(seen).isEqualTo(descending ? sorted.reversed() : sorted);
        }
    }

    @Test
    void a_page_goes_on_where_the_last_one_ended_though_its_last_item_is_gone() {
        List<Item> items = new ArrayList<>(List.of(item(0), item(1), item(2), item(3)));
        String cursor = cut(items, false, 2, null).next();
        items.remove(1);
        items.add(item(9));
        assertThat(cut(items, false, 2, cursor).items()).containsExactly(item(2), item(3));
    }

    @Test
    void the_last_page_has_no_next() {
        List<Item> items = List.of(item(0), item(1));
        assertThat(cut(items, false, 2, null).next()).isNull();
        assertThat(cut(items, false, 2, null).last()).isNotNull();
        assertThat(cut(List.of(), false, 2, null).last()).isNull();
    }

    @Test
    void a_made_up_cursor_is_refused() {
        for (String cursor : List.of("nonsense", "%%%", "aGVsbG8")) {
            assertThatThrownBy(() -> cut(List.of(item(0)), false, 2, cursor))
                    .isInstanceOf(ControlException.class)
                    .hasMessageContaining("cursor");
        }
    }
}
