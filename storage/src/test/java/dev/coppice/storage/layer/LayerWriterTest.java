package dev.coppice.storage.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.TestDirectory;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.index.FileEventKind;
import dev.coppice.storage.index.OwnFile;
import dev.coppice.storage.io.FileWrites;
import dev.coppice.storage.io.OpenFiles;
import dev.coppice.storage.layer.format.FrameCodec;
import dev.coppice.storage.layer.format.LayerFormat;
import dev.coppice.storage.layer.format.PathOrder;
import dev.coppice.storage.layer.store.LayerDescriptor;
import dev.coppice.storage.layer.store.LayerKind;
import dev.coppice.storage.layer.store.LayerStore;
import dev.coppice.storage.layer.store.LocalLayerStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LayerWriterTest {
    private static final TimelineId TIMELINE = new TimelineId("w");
    private static final long HEAD = -1;

    private final TestDirectory root = new TestDirectory();
    private final OpenFiles files = new OpenFiles();
    private final LayerStore store = new LocalLayerStore(root.path(), files, new FastWrites());
    private final LayerCaches caches = new LayerCaches(1 << 20, 1 << 20);

    @BeforeEach
    void createTimeline() throws IOException {
        Files.createDirectory(root.path().resolve("w"));
    }

    @AfterEach
    void close() {
        files.close();
        root.close();
    }

    private LayerWriter writer() {
        return new LayerWriter(store, TIMELINE, LayerKind.DELTA, 1, 1L << 40, new FastWrites());
    }

    private LayerReader reader(LayerDescriptor descriptor) {
        return new LayerReader(store, TIMELINE, descriptor, caches);
    }

    @Test
    void nothing_makes_no_layer() {
        try (LayerWriter writer = writer()) {
            writer.beginFile("a");
            writer.beginFile("b");
            assertThat(writer.finish()).isEmpty();
        }
        assertThat(store.list(TIMELINE)).isEmpty();
    }

    @Test
    void an_abandoned_writer_leaves_nothing() throws IOException {
        try (LayerWriter writer = writer()) {
            writer.beginFile("a");
            writer.event(FileEventKind.CREATE, 5, 1, 0);
        }
        assertThat(root.path().resolve("w/layers")).isEmptyDirectory();
    }

    @Test
    void a_full_disk_leaves_nothing_and_the_next_writer_succeeds() {
        FileWrites full = new FastWrites() {
            private long room = 300_000;

            @Override
            public void write(FileChannel channel, ByteBuffer bytes) throws IOException {
                room -= bytes.remaining();
                if (room < 0) {
                    channel.write(bytes.slice(0, bytes.remaining() / 3));
                    throw new IOException("No space left on device");
                }
                super.write(channel, bytes);
            }
        };
        try (LayerWriter writer =
                new LayerWriter(store, TIMELINE, LayerKind.DELTA, 1, 1L << 40, full, FrameCodec.LZ4, 100_000)) {
            assertThatThrownBy(() -> {
                        fill(writer, 3, 100);
                        writer.finish();
                    })
                    .isInstanceOf(StorageException.class)
                    .hasMessageContaining("No space left on device");
        }
        assertThat(root.path().resolve("w/layers")).isEmptyDirectory();
        try (LayerWriter writer = writer()) {
            fill(writer, 3, 100);
            assertThat(writer.finish()).hasSize(1);
        }
    }

    @Test
    void a_page_that_hardly_becomes_smaller_is_stored_as_it_is() {
        byte[] digits = new byte[LayerFormat.BLOCK_SIZE];
        Random random = new Random(9);
        for (int i = 0; i < digits.length; i++) {
            digits[i] = (byte) "0123456789abcdef".charAt(random.nextInt(16));
        }
        byte[] half = digits.clone();
        Arrays.fill(half, half.length / 2, half.length, (byte) 0);
        LayerDescriptor descriptor;
        try (LayerWriter writer = writer()) {
            writer.beginFile("f");
            writer.event(FileEventKind.CREATE, 5, 1, 0);
            writer.page(0, 6, 2, ByteBuffer.wrap(digits));
            writer.page(1, 6, 3, ByteBuffer.wrap(half));
            descriptor = writer.finish().getFirst();
        }
        LayerReader reader = reader(descriptor);
        LayerBlock stored = Objects.requireNonNull(reader.block("f", 0, HEAD));
        LayerBlock compressed = Objects.requireNonNull(reader.block("f", 1, HEAD));
        assertThat(stored.frameLength()).isEqualTo(LayerFormat.FRAME_HEAD + LayerFormat.BLOCK_SIZE);
        assertThat(compressed.frameLength()).isLessThan(LayerFormat.FRAME_HEAD + LayerFormat.WORTH_COMPRESSING);
        assertThat(reader.readPage(stored)).isEqualTo(ByteBuffer.wrap(digits));
        assertThat(reader.readPage(compressed)).isEqualTo(ByteBuffer.wrap(half));
    }

    /** One file of many versions spans many parts, so that questions have to go from part to part. */
    @Test
    void a_file_may_span_many_parts_and_a_block_many_versions() {
        LayerDescriptor descriptor;
        try (LayerWriter writer = writer()) {
            writer.beginFile("base/5/1");
            writer.event(FileEventKind.CREATE, 10, 1, 0);
            writer.event(FileEventKind.GROWTH, 10, 2, 5 * 8192L);
            for (int block = 0; block < 5; block++) {
                for (int version = 0; version < 700; version++) {
                    writer.page(block, 100 + version * 10L, 10 + version * 8L + block, page(block, version));
                }
            }
            writer.beginFile("base/5/2");
            writer.event(FileEventKind.CREATE, 11, 3, 0);
            descriptor = writer.finish().getFirst();
        }
        LayerReader reader = reader(descriptor);
        for (long lsn : new long[] {99, 100, 105, 3000, 4561, 7089, 7090, 9999, HEAD}) {
            for (int block = 0; block < 5; block++) {
                LayerBlock found = Objects.requireNonNull(reader.block("base/5/1", block, lsn));
                if (lsn == 99) {
                    assertThat(found.zero()).isTrue();
                } else {
                    int version = lsn == HEAD ? 699 : (int) Math.min(699, (lsn - 100) / 10);
                    assertThat(found.stamp()).isEqualTo(100 + version * 10L);
                    assertThat(reader.readPage(found)).isEqualTo(page(block, version));
                }
            }
        }
        assertThat(reader.file("base/5/2", HEAD)).isEqualTo(new OwnFile(OwnFile.State.EXISTS, 0));
        assertThat(reader.versions("base/5/1", 3)).hasSize(700);
        assertThat(reader.verify()).isEmpty();
        assertThat(descriptor.pages()).isEqualTo(3500);
        assertThat(descriptor.firstPath()).isEqualTo("base/5/1");
        assertThat(descriptor.lastPath()).isEqualTo("base/5/2");
    }

    @Test
    void many_threads_read_the_right_pages() throws Exception {
        LayerDescriptor descriptor;
        try (LayerWriter writer = writer()) {
            fill(writer, 2, 200);
            descriptor = writer.finish().getFirst();
        }
        LayerReader reader = new LayerReader(store, TIMELINE, descriptor, new LayerCaches(500_000, 2_000));
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> all = new ArrayList<>();
            for (int thread = 0; thread < 40; thread++) {
                Random random = new Random(thread);
                all.add(threads.submit(() -> {
                    for (int round = 0; round < 20; round++) {
                        int path = random.nextInt(2);
                        int first = random.nextInt(200);
                        LayerBlock[] blocks = new LayerBlock[Math.min(1 + random.nextInt(60), 200 - first)];
                        reader.locate("base/5/" + path, first, HEAD, blocks);
                        reader.readPages(
                                blocks,
                                0,
                                blocks.length,
                                (i, page) -> assertThat(page).isEqualTo(page(path, first + i)));
                    }
                }));
            }
            for (Future<?> one : all) {
                one.get();
            }
        }
    }

    @Test
    void a_run_begins_another_file_between_paths_only() {
        List<LayerDescriptor> run;
        try (LayerWriter writer = new LayerWriter(
                store, TIMELINE, LayerKind.DELTA, 1, 1L << 40, new FastWrites(), FrameCodec.STORED, 500_000)) {
            fill(writer, 10, 30);
            run = writer.finish();
        }
        assertThat(run).hasSizeBetween(4, 5);
        for (int i = 1; i < run.size(); i++) {
            assertThat(PathOrder.compare(run.get(i - 1).lastPath(), run.get(i).firstPath()))
                    .isNegative();
        }
        for (int file = 0; file < 10; file++) {
            String path = "base/5/" + file;
            List<LayerReader> with = run.stream()
                    .filter(descriptor -> descriptor.mayContain(path))
                    .map(this::reader)
                    .toList();
            assertThat(with).hasSize(1);
            assertThat(with.getFirst().file(path, HEAD).size()).isEqualTo(30 * 8192L);
        }
    }

    @Test
    void entries_out_of_order_are_refused() {
        try (LayerWriter writer = writer()) {
            assertThatThrownBy(() -> writer.zero(0, 5, 5)).isInstanceOf(IllegalArgumentException.class);
            writer.beginFile("b");
            writer.event(FileEventKind.CREATE, 5, 5, 0);
            assertThatThrownBy(() -> writer.event(FileEventKind.CREATE, 5, 5, 0))
                    .isInstanceOf(IllegalArgumentException.class);
            writer.zero(3, 6, 7);
            assertThatThrownBy(() -> writer.zero(2, 6, 8)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> writer.zero(3, 6, 7)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> writer.zero(1L << 31, 6, 8)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> writer.event(FileEventKind.UNLINK, 6, 8, 0))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> writer.page(4, 6, 8, ByteBuffer.allocate(8193)))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> writer.beginFile("a")).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void a_merge_gives_back_the_space_of_what_nobody_can_see() {
        LayerDescriptor old;
        try (LayerWriter writer = writer()) {
            writer.beginFile("base/5/1");
            writer.event(FileEventKind.CREATE, 10, 1, 0);
            for (int version = 0; version < 1000; version++) {
                writer.page(0, 100 + version, 10 + version, page(0, version));
            }
            writer.beginFile("base/5/2");
            writer.event(FileEventKind.CREATE, 10, 2, 0);
            writer.event(FileEventKind.UNLINK, 20, 3000, 0);
            writer.page(0, 15, 2500, page(2, 0));
            old = writer.finish().getFirst();
        }
        RetainedPoints retained = new RetainedPoints(new Lsn(5000), List.of(new Lsn(300)));
        LayerDescriptor merged;
        try (LayerWriter writer = new LayerWriter(
                store, TIMELINE, LayerKind.IMAGE, old.firstSequence(), old.lastSequence(), new FastWrites())) {
            LayerMerger.Result result = LayerMerger.merge(List.of(reader(old)), retained, path -> true, writer);
            assertThat(result.kept()).isEqualTo(3);
            assertThat(result.dropped()).isEqualTo(1001);
            merged = writer.finish().getFirst();
        }
        assertThat(merged.bytes()).isLessThan(old.bytes() / 50);
        LayerReader reader = reader(merged);
        assertThat(reader.versions("base/5/1", 0)).extracting(LayerBlock::stamp).containsExactly(300L, 1099L);
        assertThat(reader.namesEverIn("base/5")).containsExactly("1");
        assertThat(reader.verify()).isEmpty();
    }

    @Test
    void a_tombstone_stays_where_something_may_be_below() {
        LayerDescriptor old;
        try (LayerWriter writer = writer()) {
            writer.beginFile("base/5/2");
            writer.event(FileEventKind.UNLINK, 20, 30, 0);
            old = writer.finish().getFirst();
        }
        try (LayerWriter writer = writer()) {
            LayerMerger.merge(List.of(reader(old)), new RetainedPoints(new Lsn(90), List.of()), path -> false, writer);
            assertThat(reader(writer.finish().getFirst()).file("base/5/2", HEAD))
                    .isEqualTo(OwnFile.ABSENT);
        }
        try (LayerWriter writer = writer()) {
            LayerMerger.merge(List.of(reader(old)), new RetainedPoints(new Lsn(90), List.of()), path -> true, writer);
            assertThat(writer.finish()).isEmpty();
        }
    }

    private static void fill(LayerWriter writer, int paths, int blocks) {
        long sequence = 1;
        for (int path = 0; path < paths; path++) {
            writer.beginFile("base/5/" + path);
            writer.event(FileEventKind.GROWTH, 10, sequence++, blocks * 8192L);
            for (int block = 0; block < blocks; block++) {
                writer.page(block, 10, sequence++, page(path, block));
            }
        }
    }

    /** Cannot be compressed. */
    private static ByteBuffer page(int a, int b) {
        byte[] page = new byte[8192];
        new Random(a * 1_000_003L + b).nextBytes(page);
        return ByteBuffer.wrap(page);
    }
}
