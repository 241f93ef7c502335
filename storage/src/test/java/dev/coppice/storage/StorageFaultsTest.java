package dev.coppice.storage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.config.StorageConfiguration;
import dev.coppice.storage.fault.StorageException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The model's world on a disk that fails, that the process leaves at any moment, or that gives back other bits. */
class StorageFaultsTest {
    private static final int STEPS = Integer.getInteger("coppice.model.steps", 100);
    private static final int FLIPS = Integer.getInteger("coppice.model.flips", 12);

    private static final StorageConfiguration QUIET =
            new StorageConfiguration(1, 1, 1_000, 1_000, 2, 86_400, 86_400, 86_400);
    private static final StorageConfiguration BUSY = new StorageConfiguration(1, 1, 1, 2, 2, 1, 2, 1);

    private final long seed = Long.getLong("coppice.seed", 20_261_121);
    private final Random random = new Random(seed);

    @Test
    void a_failing_disk_costs_operations_but_never_a_right_answer() throws Exception {
        FaultyWrites disk = new FaultyWrites(new Random(seed));
        int failed = 0;
        try (TestDirectory directory = new TestDirectory();
                ModelWorld world = new ModelWorld(directory.path(), BUSY, random, disk)) {
            // A short run may meet no fault at all, and then it has shown nothing.
            for (int step = 0; step < STEPS || (failed == 0 && step < 50 * STEPS); step++) {
                disk.fail(step % 50 < 25 ? 0.1 : 0);
                try {
                    world.step();
                } catch (StorageException e) {
                    assertThat(disk.takeFaults()).as("faults before " + e).isPositive();
                    failed++;
                }
                if (step % 100 == 49) {
                    disk.fail(0);
                    world.compareEverything();
                }
            }
            disk.fail(0);
            world.upkeep();
            world.compareEverything();
            world.reopen();
            world.compareEverything();
            assertThat(world.findings()).isEmpty();
        } catch (RuntimeException | AssertionError e) {
            throw new AssertionError("-Dcoppice.seed=" + seed, e);
        }
        assertThat(failed).isPositive();
    }

    @Test
    void a_process_that_ends_between_any_two_steps_leaves_everything_readable() throws Exception {
        FaultyWrites disk = new FaultyWrites(new Random(seed));
        try (TestDirectory directory = new TestDirectory();
                ModelWorld world = new ModelWorld(directory.path(), BUSY, random, disk)) {
            for (int crash = 0; crash < STEPS / 20; crash++) {
                disk.crashAfter(random.nextInt(60));
                try {
                    for (int step = 0; step < 20; step++) {
                        world.step();
                    }
                    world.upkeep();
                } catch (StorageException e) {
                    assertThat(disk.takeFaults()).as("faults before " + e).isPositive();
                }
                disk.fail(0);
                world.reopen();
                world.compareLatest(10);
            }
            world.upkeep();
            assertThat(world.findings()).isEmpty();
        } catch (RuntimeException | AssertionError e) {
            throw new AssertionError("-Dcoppice.seed=" + seed, e);
        }
    }

    @Test
    void a_flipped_bit_is_reported_and_never_served() throws Exception {
        Map<String, Integer> outcomes = new TreeMap<>();
        try (TestDirectory directory = new TestDirectory();
                ModelWorld world = new ModelWorld(directory.path(), QUIET, random, new FaultyWrites(random))) {
            for (int step = 0; step < STEPS; step++) {
                world.step();
            }
            world.compareEverything();
            for (int flip = 0; flip < FLIPS; flip++) {
                List<Path> files = files(directory.path().resolve("timelines"));
                Path file = files.get(random.nextInt(files.size()));
                long at = random.nextLong(Files.size(file));
                int bit = 1 << random.nextInt(8);
                world.service.close();
                flip(file, at, bit);
                String outcome = outcome(world, file, at);
                outcomes.merge(kind(file) + ": " + outcome, 1, Integer::sum);
                world.service.close();
                flip(file, at, bit);
                world.reopen();
            }
            world.compareEverything();
            assertThat(world.findings()).isEmpty();
        } catch (RuntimeException | AssertionError e) {
            throw new AssertionError("-Dcoppice.seed=" + seed + ", " + outcomes, e);
        }
        System.out.println("StorageFaultsTest: " + outcomes);
        assertThat(outcomes.keySet()).anyMatch(outcome -> outcome.startsWith("layers"));
    }

    /**
     * Reads everything. A layer or a manifest never gives a wrong answer. A journal's entry that is damaged before it is read
     * for the first time looks like one that a power cut never let reach the disk, and is left out; the check tells.
     */
    private static String outcome(ModelWorld world, Path file, long at) {
        String reading = "harmless";
        try {
            world.reopen();
            world.compareLatest(10);
        } catch (StorageException e) {
            reading = "refused";
        } catch (AssertionError e) {
            if (!kind(file).equals("journal")) {
                throw new AssertionError("after a flipped bit at byte " + at + " of " + file, e);
            }
            reading = "left out";
        } catch (RuntimeException e) {
            throw new AssertionError("after a flipped bit at byte " + at + " of " + file, e);
        }
        boolean reported = !world.isOpen() || !world.findings().isEmpty();
        assertThat(reported || reading.equals("harmless"))
                .as("a flipped bit at byte %d of %s is reported by the check", at, file)
                .isTrue();
        if (kind(file).equals("layers")) {
            assertThat(reported).as("a flipped bit at byte %d of %s", at, file).isTrue();
        }
        return reading + (reported ? ", reported" : "");
    }

    private static String kind(Path file) {
        return file.getName(file.getNameCount() - 2).toString();
    }

    private static List<Path> files(Path timelines) throws IOException {
        List<Path> files = new ArrayList<>();
        try (Stream<Path> all = Files.walk(timelines)) {
            for (Path file : (Iterable<Path>) all::iterator) {
                if (Files.isRegularFile(file)
                        && (kind(file).equals("layers") || kind(file).equals("journal"))
                        && Files.size(file) > 0) {
                    files.add(file);
                }
            }
        }
        files.sort(null);
        return files;
    }

    private static void flip(Path file, long at, int bit) throws IOException {
        try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
            access.seek(at);
            int old = access.read();
            access.seek(at);
            access.write(old ^ bit);
        }
    }
}
