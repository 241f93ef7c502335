package dev.coppice.storage.layer.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.TestDirectory;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.io.FileWrites;
import dev.coppice.storage.io.OpenFiles;
import dev.coppice.storage.layer.FastWrites;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LocalLayerStoreTest {
    private static final TimelineId TIMELINE = new TimelineId("t-1");

    private final TestDirectory root = new TestDirectory();
    private final OpenFiles files = new OpenFiles();
    private final LocalLayerStore store = new LocalLayerStore(root.path(), files, FileWrites.DIRECT);

    @BeforeEach
    void createTimeline() throws IOException {
        Files.createDirectory(root.path().resolve("t-1"));
    }

    @AfterEach
    void close() {
        files.close();
        root.close();
    }

    @Test
    void a_timeline_without_layers_has_no_directory_for_them() {
        assertThat(store.manifest(TIMELINE)).isEmpty();
        assertThat(store.list(TIMELINE)).isEmpty();
        assertThat(store.storedBytes(TIMELINE)).isZero();
        store.removeStray(TIMELINE);
        assertThat(root.path().resolve("t-1/layers")).doesNotExist();
    }

    @Test
    void a_layer_is_read_by_range_listed_and_deleted() throws IOException {
        put(store, "delta-1", "0123456789");
        ByteBuffer target = ByteBuffer.allocate(4);
        assertThat(store.read(TIMELINE, "delta-1", 3, target)).isEqualTo(4);
        assertThat(target.array()).containsExactly('3', '4', '5', '6');
        assertThat(store.read(TIMELINE, "delta-1", 8, target.clear())).isEqualTo(2);
        assertThat(store.list(TIMELINE)).containsExactly("delta-1");
        assertThat(store.storedBytes(TIMELINE)).isEqualTo(10);
        store.delete(TIMELINE, "delta-1");
        store.delete(TIMELINE, "delta-1");
        assertThat(store.list(TIMELINE)).isEmpty();
        assertThatThrownBy(() -> store.read(TIMELINE, "delta-1", 0, target.clear()))
                .isInstanceOf(NoSuchLayerException.class)
                .hasMessageContaining("delta-1");
    }

    @Test
    void a_layer_is_never_replaced() throws IOException {
        put(store, "delta-1", "old");
        assertThatThrownBy(() -> put(store, "delta-1", "new"))
                .isInstanceOf(StorageException.class)
                .hasMessageContaining("exists already");
        ByteBuffer target = ByteBuffer.allocate(3);
        store.read(TIMELINE, "delta-1", 0, target);
        assertThat(target.array()).containsExactly('o', 'l', 'd');
    }

    @Test
    void a_name_cannot_lead_out_of_the_directory() {
        assertThatThrownBy(() -> store.delete(TIMELINE, "../../x")).hasMessageContaining("no name of a layer");
    }

    @Test
    void a_manifest_is_replaced_only_by_who_knows_the_newest() {
        store.putManifest(TIMELINE, 0, bytes("one"));
        store.putManifest(TIMELINE, 1, bytes("two"));
        assertThat(store.manifest(TIMELINE).orElseThrow().version()).isEqualTo(2);
        assertThat(store.manifest(TIMELINE).orElseThrow().content()).isEqualTo(bytes("two"));
        for (long stale : new long[] {0, 1, 3}) {
            assertThatThrownBy(() -> store.putManifest(TIMELINE, stale, bytes("stale")))
                    .isInstanceOf(ManifestConflictException.class)
                    .hasMessageContaining("version 2");
        }
        assertThat(root.path().resolve("t-1/layers")).isDirectoryContaining("glob:**manifest-2");
        assertThat(root.path().resolve("t-1/layers")).isDirectoryNotContaining("glob:**manifest-1");
    }

    @Test
    void of_many_writers_one_wins_each_version() throws Exception {
        try (ExecutorService writers = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int version = 0; version < 20; version++) {
                long expected = version;
                AtomicInteger won = new AtomicInteger();
                List<Callable<Boolean>> all = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    LocalLayerStore own = new LocalLayerStore(root.path(), files, new FastWrites());
                    all.add(() -> {
                        try {
                            own.putManifest(TIMELINE, expected, bytes("manifest"));
                            won.incrementAndGet();
                            return true;
                        } catch (ManifestConflictException e) {
                            return false;
                        }
                    });
                }
                for (Future<Boolean> one : writers.invokeAll(all)) {
                    one.get();
                }
                assertThat(won).hasValue(1);
                assertThat(store.manifest(TIMELINE).orElseThrow().version()).isEqualTo(version + 1);
            }
        }
    }

    /** The stale version's name may be free again, since older manifests are removed. */
    @Test
    void a_writer_that_was_overtaken_between_its_check_and_its_link_loses() {
        FileWrites overtaken = new FastWrites() {
            @Override
            public void link(Path name, Path existing) throws IOException {
                store.putManifest(TIMELINE, 1, bytes("other 2"));
                store.putManifest(TIMELINE, 2, bytes("other 3"));
                super.link(name, existing);
            }
        };
        store.putManifest(TIMELINE, 0, bytes("one"));
        LocalLayerStore slow = new LocalLayerStore(root.path(), files, overtaken);
        assertThatThrownBy(() -> slow.putManifest(TIMELINE, 1, bytes("mine")))
                .isInstanceOf(ManifestConflictException.class);
        assertThat(store.manifest(TIMELINE).orElseThrow().content()).isEqualTo(bytes("other 3"));
        assertThat(names()).containsExactly("manifest-3");
    }

    @Test
    void a_failed_write_leaves_what_was_and_can_be_repeated() throws IOException {
        store.putManifest(TIMELINE, 0, bytes("one"));
        for (String step : List.of("write", "force", "forceDirectory", "rename", "link")) {
            LocalLayerStore failing = new LocalLayerStore(root.path(), files, new FailingWrites(step));
            if (!step.equals("rename")) {
                assertThatThrownBy(() -> failing.putManifest(TIMELINE, 1, bytes("two")))
                        .as(step)
                        .isInstanceOf(StorageException.class)
                        .hasMessageContaining("no room");
            }
            if (!step.equals("link") && !step.equals("write")) {
                assertThatThrownBy(() -> put(failing, "delta-1", "x"))
                        .as(step)
                        .isInstanceOf(StorageException.class)
                        .hasMessageContaining("no room");
            }
            assertThat(names()).as(step).containsExactly("manifest-1");
            assertThat(store.manifest(TIMELINE).orElseThrow().content()).isEqualTo(bytes("one"));
        }
        store.putManifest(TIMELINE, 1, bytes("two"));
        put(store, "delta-1", "x");
        assertThat(names()).containsExactly("delta-1.layer", "manifest-2");
    }

    @Test
    void what_a_crash_left_half_done_is_removed() throws IOException {
        store.putManifest(TIMELINE, 0, bytes("one"));
        store.putManifest(TIMELINE, 1, bytes("two"));
        put(store, "delta-1", "x");
        Path layers = root.path().resolve("t-1/layers");
        Files.write(layers.resolve("manifest-1"), bytes("one"));
        Files.write(layers.resolve("manifest-abc.new"), bytes("th"));
        Files.write(store.temporary(TIMELINE, "delta-2"), bytes("half"));
        assertThat(store.manifest(TIMELINE).orElseThrow().content()).isEqualTo(bytes("two"));
        store.removeStray(TIMELINE);
        assertThat(names()).containsExactly("delta-1.layer", "manifest-2");
    }

    private List<String> names() {
        try (var all = Files.list(root.path().resolve("t-1/layers"))) {
            return all.map(path -> path.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void put(LayerStore store, String name, String content) throws IOException {
        Path file = store.temporary(TIMELINE, name);
        Files.write(file, bytes(content));
        try {
            store.put(TIMELINE, name, file);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }

    /** Fails at one step; a write gets half of the bytes out before. */
    private static final class FailingWrites extends FileWrites {
        private final String step;

        FailingWrites(String step) {
            this.step = step;
        }

        private void check(String now) throws IOException {
            if (step.equals(now)) {
                throw new IOException("no room");
            }
        }

        @Override
        public void write(FileChannel channel, ByteBuffer bytes) throws IOException {
            if (step.equals("write")) {
                channel.write(bytes.slice(0, bytes.remaining() / 2));
            }
            check("write");
            super.write(channel, bytes);
        }

        @Override
        public void force(FileChannel channel) throws IOException {
            check("force");
            super.force(channel);
        }

        @Override
        public void forceDirectory(Path directory) throws IOException {
            check("forceDirectory");
            super.forceDirectory(directory);
        }

        @Override
        public void rename(Path from, Path to) throws IOException {
            check("rename");
            super.rename(from, to);
        }

        @Override
        public void link(Path name, Path existing) throws IOException {
            check("link");
            super.link(name, existing);
        }
    }
}
