package dev.coppice.storage.layer.format;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.TestDirectory;
import dev.coppice.storage.index.FileEventKind;
import dev.coppice.storage.index.OwnFile;
import dev.coppice.storage.io.OpenFiles;
import dev.coppice.storage.layer.FastWrites;
import dev.coppice.storage.layer.LayerBlock;
import dev.coppice.storage.layer.LayerCaches;
import dev.coppice.storage.layer.LayerFileWriter;
import dev.coppice.storage.layer.LayerReader;
import dev.coppice.storage.layer.store.LayerDescriptor;
import dev.coppice.storage.layer.store.LayerKind;
import dev.coppice.storage.layer.store.LayerStore;
import dev.coppice.storage.layer.store.LocalLayerStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Pins the bytes of format version 1: what was written must be readable for ever. */
class LayerFormatTest {
    private static final TimelineId TIMELINE = new TimelineId("golden");
    private static final int PAGE_LENGTH = LayerFormat.FRAME_HEAD + LayerFormat.BLOCK_SIZE;

    private static final String HEADER =
            "434f50504943454c0100000000000000676f6c64656e0000000000000000000000000000000000000000000000000000"
                    + "00000000000000000000000021fee41f";
    private static final String FRAME_HEAD = "7d57e14000";
    private static final String REST =
            "3b443224020004626173650001052080818080808008000004022f31000200228281808080800800041e0280c0010201"
                    + "28868180808080080418018540a38b557a010004626173650085403d0201000462617365822000000000000017000000"
                    + "000000000000000000100000282300000010000010000000000000002000000000000000050000000000000001000000"
                    + "00000000f9200000000000000100000000000000434f50504943454c000000005518d51a";

    @Test
    void the_bytes_are_the_golden_ones_and_can_be_read() throws IOException {
        try (TestDirectory root = new TestDirectory();
                OpenFiles files = new OpenFiles()) {
            Files.createDirectory(root.path().resolve("golden"));
            LayerStore store = new LocalLayerStore(root.path(), files, new FastWrites());
            LayerDescriptor descriptor = write(store);
            byte[] content = Files.readAllBytes(root.path().resolve("golden/layers/delta-golden.layer"));
            int frameAt = LayerFormat.HEADER_SIZE;
            assertThat(List.of(
                            hex(content, 0, frameAt),
                            hex(content, frameAt, frameAt + LayerFormat.FRAME_HEAD),
                            hex(content, frameAt + PAGE_LENGTH, content.length)))
                    .containsExactly(HEADER, FRAME_HEAD, REST);

            LayerReader reader = new LayerReader(store, TIMELINE, descriptor, new LayerCaches(0, 1 << 20));
            assertThat(reader.verify()).isEmpty();
            assertThat(reader.file("base/1", 32)).isEqualTo(new OwnFile(OwnFile.State.EXISTS, 3 * 8192));
            LayerBlock page = Objects.requireNonNull(reader.block("base/1", 2, 32));
            assertThat(reader.readPage(page)).isEqualTo(ByteBuffer.wrap(page()));
            assertThat(reader.directoriesEver()).containsExactly("base");
        }
    }

    private static LayerDescriptor write(LayerStore store) throws IOException {
        try (LayerFileWriter writer = new LayerFileWriter(
                store, TIMELINE, "delta-golden", LayerKind.DELTA, 1L << 44, (1L << 44) + 9000, new FastWrites())) {
            long sequence = (1L << 44) + 64;
            writer.beginFile("base".getBytes(StandardCharsets.UTF_8));
            writer.event(FileEventKind.MKDIR, 16, sequence, 0);
            writer.endFile();
            writer.beginFile("base/1".getBytes(StandardCharsets.UTF_8));
            writer.event(FileEventKind.CREATE, 17, sequence + 1, 0);
            writer.event(FileEventKind.GROWTH, 32, sequence + 2, 3 * 8192);
            writer.zero(0, 20, sequence + 3);
            byte[] frame = new byte[PAGE_LENGTH];
            frame[LayerFormat.CHECKSUM_SIZE] = (byte) FrameCodec.STORED.code();
            System.arraycopy(page(), 0, frame, LayerFormat.FRAME_HEAD, LayerFormat.BLOCK_SIZE);
            writer.page(2, 32, sequence + 2, frame, PAGE_LENGTH);
            writer.endFile();
            LayerDescriptor descriptor = writer.finish();
            store.put(TIMELINE, descriptor.name(), writer.file());
            return descriptor;
        }
    }

    private static byte[] page() {
        byte[] page = new byte[LayerFormat.BLOCK_SIZE];
        for (int i = 0; i < page.length; i++) {
            page[i] = (byte) (i * 31 + (i >> 5));
        }
        return page;
    }

    private static String hex(byte[] content, int from, int to) {
        return HexFormat.of().formatHex(Arrays.copyOfRange(content, from, to));
    }
}
