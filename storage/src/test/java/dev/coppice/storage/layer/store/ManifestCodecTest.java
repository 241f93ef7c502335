package dev.coppice.storage.layer.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.ChecksumMismatchException;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.wal.Moment;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

class ManifestCodecTest {
    private static final Manifest MANIFEST = new Manifest(
            new TimelineId("tl-7"),
            12,
            new FlushedPosition(3, 70_000, Lsn.parse("0/3000060")),
            Lsn.parse("0/1000028"),
            Lsn.parse("0/2000000"),
            List.of(new LayerDescriptor(
                    "delta-1",
                    LayerKind.DELTA,
                    1L << 44,
                    0xFFFF_F000_0000_0000L,
                    "PG_VERSION",
                    "pg_xact/0000",
                    0x100_0028,
                    -2L,
                    123_456,
                    77,
                    55,
                    0xDEADBEEF)),
            List.of(new Moment(Instant.parse("2026-01-02T03:04:05.678Z"), Lsn.parse("0/2FFFFF8"))));

    private static final String GOLDEN =
            "{\"crc32c\":\"%CRC%\",\"manifest\":{\"format\":1,\"timeline\":\"tl-7\",\"version\":12,"
                    + "\"flushed\":{\"epoch\":3,\"offset\":70000,\"stamp\":\"0/3000060\"},"
                    + "\"oldest\":\"0/1000028\",\"horizon\":\"0/2000000\","
                    + "\"layers\":[{\"name\":\"delta-1\",\"kind\":\"delta\",\"firstSequence\":\"0000100000000000\","
                    + "\"lastSequence\":\"fffff00000000000\",\"firstPath\":\"PG_VERSION\",\"lastPath\":\"pg_xact/0000\","
                    + "\"minStamp\":\"0/1000028\",\"maxStamp\":\"FFFFFFFF/FFFFFFFE\",\"bytes\":123456,\"entries\":77,"
                    + "\"pages\":55,\"checksum\":\"deadbeef\"}],"
                    + "\"moments\":[[\"2026-01-02T03:04:05.678Z\",\"0/2FFFFF8\"]]}}\n";

    @Test
    void the_text_form_is_the_golden_one() {
        assertThat(new String(ManifestCodec.encode(MANIFEST), StandardCharsets.UTF_8))
                .isEqualTo(GOLDEN.replace("%CRC%", "b98b0c47"));
    }

    @Test
    void it_reads_what_it_wrote() {
        assertThat(ManifestCodec.decode(ManifestCodec.encode(MANIFEST), "m")).isEqualTo(MANIFEST);
    }

    @Test
    void every_flipped_bit_and_every_truncation_is_noticed() {
        byte[] content = ManifestCodec.encode(MANIFEST);
        for (int bit = 0; bit < content.length * 8; bit++) {
            byte[] damaged = content.clone();
            damaged[bit / 8] ^= (byte) (1 << (bit % 8));
            assertThatThrownBy(() -> ManifestCodec.decode(damaged, "manifest-12"))
                    .as("bit " + bit)
                    .isInstanceOf(ChecksumMismatchException.class)
                    .hasMessageContaining("manifest-12");
        }
        for (int length = 0; length < content.length; length++) {
            byte[] shorter = Arrays.copyOf(content, length);
            assertThatThrownBy(() -> ManifestCodec.decode(shorter, "manifest-12"))
                    .isInstanceOf(ChecksumMismatchException.class);
        }
    }

    @Test
    void what_is_not_known_is_refused_by_name() {
        refused("\"format\":1", "\"format\":2", "format 2 is not known");
        refused("\"format\":1", "\"format\":1,\"colour\":1", "\"colour\" is not known");
        refused("\"bytes\":123456", "\"bytes\":-1", "\"bytes\"");
        refused("\"bytes\":123456", "\"bytes\":\"many\"", "\"bytes\"");
        refused("\"oldest\":\"0/1000028\"", "\"oldest\":\"soon\"", "soon");
        refused("\"kind\":\"delta\"", "\"kind\":\"epsilon\"", "EPSILON");
        refused("\"epoch\":3", "\"epoch\":3000000000", "manifest-12");
        refused("\"version\":12", "\"version\":12,\"version\":13", "version");
        refused("\"layers\":[", "\"layers\":[7,", "manifest-12");
    }

    private static void refused(String original, String other, String message) {
        String body = GOLDEN.substring(GOLDEN.indexOf("{\"format\""), GOLDEN.length() - 2);
        byte[] changed = body.replace(original, other).getBytes(StandardCharsets.UTF_8);
        CRC32C crc = new CRC32C();
        crc.update(changed, 0, changed.length);
        String text = "{\"crc32c\":\"" + String.format(java.util.Locale.ROOT, "%08x", crc.getValue())
                + "\",\"manifest\":" + new String(changed, StandardCharsets.UTF_8) + "}\n";
        assertThatThrownBy(() -> ManifestCodec.decode(text.getBytes(StandardCharsets.UTF_8), "manifest-12"))
                .isInstanceOf(StorageException.class)
                .isNotInstanceOf(ChecksumMismatchException.class)
                .hasMessageContaining("manifest-12")
                .hasMessageContaining(message);
    }
}
