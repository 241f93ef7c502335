package dev.coppice.control.id;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.TimelineId;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class IdsTest {
    private static final long SEED = 7;
    private static final int DRAWS = 10_000;

    private final Ids ids = new Ids(new Random(SEED));

    @Test
    void ids_have_the_shapes_that_neons_clients_check_and_fit_a_timeline_id() {
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < DRAWS; i++) {
            String branch = ids.branch();
            assertThat(branch).matches("br-[a-z]+-[a-z]+-[0-9]{8}").hasSizeLessThanOrEqualTo(TimelineId.MAX_LENGTH);
            assertThat(Ids.looksLikeBranch(branch)).isTrue();
            assertThat(seen.add(branch)).as("seed %d, draw %d", SEED, i).isTrue();
        }
        assertThat(ids.endpoint()).matches("ep-[a-z]+-[a-z]+-[0-9]{8}").satisfies(Ids::looksLikeEndpoint);
        assertThat(ids.project()).matches("[a-z]+-[a-z]+-[0-9]{8}");
        assertThat(ids.operation()).matches("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
    }

    @Test
    void names_are_not_taken_for_ids() {
        assertThat(Ids.looksLikeBranch("br-main")).isFalse();
        assertThat(Ids.looksLikeBranch("main")).isFalse();
        assertThat(Ids.looksLikeEndpoint("br-a-b-1")).isFalse();
    }
}
