package dev.coppice.storage.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.TestDirectory;
import dev.coppice.storage.fault.ChecksumMismatchException;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.io.OpenFiles;
import dev.coppice.storage.layer.store.LayerDescriptor;
import dev.coppice.storage.layer.store.LayerStore;
import dev.coppice.storage.layer.store.LocalLayerStore;
import dev.coppice.storage.layer.store.NoSuchLayerException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whatever happens to a layer's bytes, it answers rightly or throws a typed error, and its verification finds it. */
@NullUnmarked
class LayerFuzzTest {
    private static final TimelineId TIMELINE = new TimelineId("fuzz");

    private final TestDirectory root = new TestDirectory();
    private final OpenFiles files = new OpenFiles();
    private final LayerStore store = new LocalLayerStore(root.path(), files, new FastWrites());
    private final long seed = Long.getLong("coppice.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final RandomHistory history = new RandomHistory(random);
    private LayerDescriptor descriptor;
    private Path file;
    private byte[] content;

    @BeforeEach
    void writeLayer() throws IOException {
        Files.createDirectory(root.path().resolve(TIMELINE.value()));
        descriptor = write(700);
        file = file(descriptor);
        content = Files.readAllBytes(file);
    }

    private LayerDescriptor write(int count) {
        return RandomHistory.write(history.more(count), store, TIMELINE, new FastWrites(), 1 << 28)
                .getFirst();
    }

    private Path file(LayerDescriptor of) {
        return root.path().resolve("fuzz/layers/" + of.name() + ".layer");
    }

    @AfterEach
    void close() {
        files.close();
        root.close();
    }

    @Test
    void a_flipped_bit_is_always_noticed() throws IOException {
        for (int round = 0; round < 200; round++) {
            byte[] damaged = content.clone();
            // Ends are where everything is found from, so they get their share.
            int bit = round % 4 == 0
                    ? content.length * 8 - 1 - random.nextInt(8 * 4000)
                    : random.nextInt(content.length * 8);
            damaged[bit / 8] ^= (byte) (1 << (bit % 8));
            check(damaged, "-Dcoppice.seed=" + seed + " bit " + bit);
        }
    }

    @Test
    void overwritten_and_exchanged_ranges_are_noticed() throws IOException {
        for (int round = 0; round < 90; round++) {
            byte[] damaged = content.clone();
            int length = 1 + random.nextInt(5000);
            int from = random.nextInt(content.length - length);
            int to = random.nextInt(content.length - length);
            if (round % 3 == 0) {
                Arrays.fill(damaged, to, to + length, (byte) 0);
            } else {
                System.arraycopy(content, from, damaged, to, length);
            }
            if (!Arrays.equals(content, damaged)) {
                check(damaged, "-Dcoppice.seed=" + seed + " " + length + " bytes from " + from + " at " + to);
            }
        }
    }

    @Test
    void a_truncated_layer_is_noticed() throws IOException {
        for (int round = 0; round < 60; round++) {
            int length = round < 20 ? content.length - 1 - round : random.nextInt(content.length);
            check(Arrays.copyOf(content, length), "-Dcoppice.seed=" + seed + " length " + length);
        }
    }

    @Test
    void a_layer_under_the_name_of_another_is_noticed() throws IOException {
        LayerDescriptor other = write(700);
        Files.write(file, Files.readAllBytes(file(other)));
        // Even when the manifest describes what is there: the name is not the one it was written under.
        LayerDescriptor claimed = new LayerDescriptor(
                descriptor.name(),
                other.kind(),
                other.firstSequence(),
                other.lastSequence(),
                other.firstPath(),
                other.lastPath(),
                other.minStamp(),
                other.maxStamp(),
                other.bytes(),
                other.entries(),
                other.pages(),
                other.checksum());
        assertThatThrownBy(() -> reader(claimed).file("base/5/1", RandomHistory.HEAD))
                .isInstanceOf(ChecksumMismatchException.class)
                .hasMessageContaining(descriptor.name());
        assertThat(reader(claimed).verify()).isNotEmpty();
    }

    @Test
    void a_layer_that_is_gone_is_told_from_a_damaged_one() {
        LayerReader reader = reader(descriptor);
        store.delete(TIMELINE, descriptor.name());
        assertThatThrownBy(() -> reader.file("base/5/1", RandomHistory.HEAD)).isInstanceOf(NoSuchLayerException.class);
    }

    private LayerReader reader(LayerDescriptor of) {
        return new LayerReader(store, TIMELINE, of, new LayerCaches(1 << 20, 1 << 20));
    }

    /** Every answer is right or refused, and the verification has something to say. */
    private void check(byte[] damaged, String where) throws IOException {
        Files.write(file, damaged);
        LayerReader reader = reader(descriptor);
        assertThat(reader.verify()).as(where).isNotEmpty().allMatch(text -> text.contains(descriptor.name()));
        for (String path : RandomHistory.PATHS) {
            RandomHistory.State state = history.at(path, RandomHistory.HEAD);
            LayerBlock[] found = new LayerBlock[(int) RandomHistory.MOST_BLOCKS + 3];
            try {
                reader.locate(path, 0, RandomHistory.HEAD, found);
            } catch (ChecksumMismatchException e) {
                assertThat(e).as(where).hasMessageContaining(descriptor.name());
                continue;
            } catch (RuntimeException e) {
                fail(where, e);
            }
            for (int block = 0; block < found.length; block++) {
                checkBlock(reader, state, found[block], block, where + ", block " + block + " of " + path);
            }
        }
        for (String directory : List.of("", "base", "base/5")) {
            try {
                assertThat(reader.namesEverIn(directory)).as(where).isEqualTo(history.namesIn(directory));
            } catch (StorageException e) {
                assertThat(e).as(where).isInstanceOf(ChecksumMismatchException.class);
            }
        }
    }

    private void checkBlock(LayerReader reader, RandomHistory.State state, LayerBlock found, long block, String where) {
        Long expected = state.block(block);
        if (found == null) {
            assertThat(expected).as(where).isNull();
        } else if (found.zero()) {
            assertThat(expected).as(where).isEqualTo(0L);
        } else {
            assertThat(found.sequence()).as(where).isEqualTo(expected);
            try {
                ByteBuffer page = reader.readPage(found);
                byte[] right = RandomHistory.content(expected, block, history.bytesOf(expected, block));
                assertThat(page).as(where).isEqualTo(ByteBuffer.wrap(right));
            } catch (StorageException e) {
                assertThat(e).as(where).isInstanceOf(ChecksumMismatchException.class);
            }
        }
    }
}
