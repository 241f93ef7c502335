package dev.coppice.storage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.Lsn;
import dev.coppice.storage.file.DirectoryEntry;
import dev.coppice.storage.file.FileKind;
import dev.coppice.storage.file.FileStatus;
import dev.coppice.storage.file.PageConsumer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.NullUnmarked;

/** Reads everything that a timeline shows at a point, or at its head, and compares it with a model's image. */
@NullUnmarked
final class ImageComparison {
    private static final int BLOCK = Timeline.BLOCK_SIZE;

    private final Timeline timeline;
    private final Lsn lsn;
    private final String where;

    /** @param lsn null for the head */
    ImageComparison(Timeline timeline, Lsn lsn) {
        this.timeline = timeline;
        this.lsn = lsn;
        this.where = timeline.id() + " at " + (lsn == null ? "its head" : lsn);
    }

    void compare(ModelImage image) {
        Set<String> paths = new TreeSet<>(ModelTimeline.paths());
        paths.addAll(image.files.keySet());
        for (String path : paths) {
            compareFile(path, image.files.get(path));
        }
        List<String> directories = lsn == null ? timeline.directories() : null;
        if (directories != null) {
            assertThat(directories).as(where).containsExactlyElementsOf(image.directories);
        }
        compareList("", image);
        for (String directory : image.directories) {
            compareList(directory, image);
        }
    }

    private void compareFile(String path, ModelImage.File expected) {
        FileStatus status = lsn == null ? timeline.stat(path) : timeline.stat(path, lsn);
        assertThat(status)
                .as("%s, %s", where, path)
                .isEqualTo(expected == null ? FileStatus.ABSENT : FileStatus.file(expected.size));
        if (expected == null) {
            return;
        }
        if (expected.whole != null) {
            Optional<byte[]> content = lsn == null ? timeline.readFile(path) : timeline.readFile(path, lsn);
            assertThat(content.orElseThrow()).as("%s, %s", where, path).isEqualTo(expected.whole);
            return;
        }
        // One block more than there is: beyond the end everything is zero.
        int blocks = (int) ((expected.size + BLOCK - 1) / BLOCK) + 1;
        Map<Long, byte[]> found = read(path, blocks);
        for (long block = 0; block < blocks; block++) {
            ModelImage.Content content = expected.blocks.get(block);
            byte[] bytes = content == null ? new byte[BLOCK] : content.bytes();
            if (!java.util.Arrays.equals(found.get(block), bytes)) {
                throw new AssertionError("%s, %s: block %d of %d is %s instead of %s"
                        .formatted(where, path, block, blocks - 1, text(found.get(block)), text(bytes)));
            }
        }
    }

    private Map<Long, byte[]> read(String path, int blocks) {
        Map<Long, byte[]> found = new HashMap<>();
        PageConsumer consumer = new PageConsumer() {
            @Override
            public void zero(long block) {
                found.put(block, new byte[BLOCK]);
            }

            @Override
            public void page(long block, long stamp, ByteBuffer page) {
                byte[] bytes = new byte[BLOCK];
                page.get(bytes);
                found.put(block, bytes);
                if (lsn != null) {
                    assertThat(Long.compareUnsigned(stamp, lsn.value()))
                            .as("%s, %s, block %d: stamp %s", where, path, block, new Lsn(stamp))
                            .isLessThanOrEqualTo(0);
                }
            }
        };
        if (lsn == null) {
            timeline.readPages(path, 0, blocks, consumer);
        } else {
            timeline.readPages(path, 0, blocks, lsn, consumer);
        }
        return found;
    }

    private static String text(byte[] block) {
        return block == null
                ? "missing"
                : "%016x..".formatted(ByteBuffer.wrap(block).getLong());
    }

    private void compareList(String directory, ModelImage image) {
        Set<DirectoryEntry> expected = new HashSet<>();
        for (String path : image.files.keySet()) {
            if (parent(path).equals(directory)) {
                expected.add(new DirectoryEntry(path.substring(path.lastIndexOf('/') + 1), FileKind.FILE));
            }
        }
        for (String path : image.directories) {
            if (parent(path).equals(directory)) {
                expected.add(new DirectoryEntry(path.substring(path.lastIndexOf('/') + 1), FileKind.DIRECTORY));
            }
        }
        Optional<List<DirectoryEntry>> list = lsn == null ? timeline.list(directory) : timeline.list(directory, lsn);
        assertThat(new ArrayList<>(list.orElseThrow()))
                .as("%s, list of \"%s\"", where, directory)
                .containsExactlyInAnyOrderElementsOf(expected);
    }

    private static String parent(String path) {
        int slash = path.lastIndexOf('/');
        return slash < 0 ? "" : path.substring(0, slash);
    }
}
