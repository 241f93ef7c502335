package dev.coppice.storage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.config.StorageConfiguration;
import dev.coppice.storage.io.FileWrites;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;

/**
 * The page service for a long life in short: thousands of random writes, branches, restores, deletions, flushes,
 * compactions, collections, leases and restarts against a naive model. Every point that is retained is compared in full,
 * every collected one must be refused.
 *
 * <p>{@code -Dcoppice.model.steps=20000} for a longer life, {@code -Dcoppice.model.rounds=20} for as many seeds, one after the other in each
 * repetition:
 *
 * <pre>./coppice test -pl storage -am -Dtest=StorageModelTest -Dsurefire.failIfNoSpecifiedTests=false -Dcoppice.model.rounds=20</pre>
 */
class StorageModelTest {
    private static final int REPETITIONS = 3;

    private static final int STEPS = Integer.getInteger("coppice.model.steps", 1_000);

    /** Seeds that each of the repetitions tries. */
    private static final int ROUNDS = Integer.getInteger("coppice.model.rounds", 1);

    @RepeatedTest(REPETITIONS)
    void every_retained_point_reads_as_a_naive_model_says(RepetitionInfo repetition) throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            long first = (long) round * REPETITIONS + repetition.getCurrentRepetition();
            live(Long.getLong("coppice.seed", first));
        }
    }

    private static void live(long seed) throws Exception {
        Random random = new Random(seed);
        StorageConfiguration small = configuration(random);
        try (TestDirectory directory = new TestDirectory();
                ModelWorld world = new ModelWorld(directory.path(), small, random, FileWrites.DIRECT)) {
            int step = 0;
            try {
                for (; step < STEPS || (!isCovered(world) && step < 10 * STEPS); step++) {
                    world.step();
                    if (step % 250 == 249) {
                        world.compareEverything();
                    }
                }
                world.compareEverything();
                world.reopen();
                world.compareEverything();
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError(
                        "-Dcoppice.seed=" + seed + ", step " + step + " of " + world.done + ", " + small, e);
            }
            // A test that does nothing must not pass.
            assertThat(isCovered(world))
                    .as("-Dcoppice.seed=%d: %s", seed, world.done)
                    .isTrue();
            assertThat(world.directoriesOfTimelines())
                    .containsExactlyInAnyOrderElementsOf(world.timelines.stream()
                            .map(timeline -> timeline.id.value())
                            .toList());
        }
    }

    /** Whether everything was done that the model knows, also what depends on luck. */
    private static boolean isCovered(ModelWorld world) {
        return world.done.size() == 17
                && world.done
                        .keySet()
                        .containsAll(
                                List.of("refused points", "collections that freed space", "comparisons with layers"));
    }

    /** Thresholds at which everything happens all the time, in the background too or only when asked. */
    private static StorageConfiguration configuration(Random random) {
        boolean background = random.nextBoolean();
        return new StorageConfiguration(
                1,
                1,
                background ? 1 : 1_000,
                background ? 2 : 1_000,
                2 + random.nextInt(3),
                background ? 1 : 86_400,
                1 + random.nextInt(3),
                1);
    }
}
