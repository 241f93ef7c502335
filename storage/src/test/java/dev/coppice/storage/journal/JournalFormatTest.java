package dev.coppice.storage.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.StorageException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Golden bytes: the C side writes the same. A change here is a new format version. */
class JournalFormatTest {
    private static final HexFormat HEX = HexFormat.of();
    private static final long STAMP = 0x0102030405060708L;

    @Test
    void a_segment_header_has_these_bytes() {
        byte[] header = new SegmentHeader(7, STAMP, new TimelineId("main")).encode();
        assertThat(HEX.formatHex(header))
                .isEqualTo("434f50504943454a" + "01000000" + "07000000" + "0807060504030201" + "6d61696e"
                        + "00".repeat(32) + "98cc89c5");
        assertThat(SegmentHeader.decode(header, "test")).isEqualTo(new SegmentHeader(7, STAMP, new TimelineId("main")));
    }

    @Test
    void a_changed_bit_in_a_segment_header_is_refused() {
        byte[] header = new SegmentHeader(7, STAMP, new TimelineId("main")).encode();
        header[16] ^= 1;
        assertThatThrownBy(() -> SegmentHeader.decode(header, "file x"))
                .isInstanceOf(StorageException.class)
                .hasMessageContaining("file x")
                .hasMessageContaining("checksum");
    }

    @ParameterizedTest
    @CsvSource({
        "PAGE, base/5/16384, 8192, 0, hello, 43504a31099db28c01000c0005000000080706050403020100200000000000000000000000000000030000004cbb719a626173652f352f313633383468656c6c6f",
        "ZERO, base/5/16384, 8192, 16384, , 43504a315032e0dd02000c00000000000807060504030201002000000000000000400000000000000300000000000000626173652f352f3136333834",
        "TRUNCATE, base/5/16384, 24576, 0, , 43504a31757eaeef03000c00000000000807060504030201006000000000000000000000000000000300000000000000626173652f352f3136333834",
        "CREATE, base/5/16384_fsm, 0, 0, , 43504a310f73201904001000000000000807060504030201000000000000000000000000000000000300000000000000626173652f352f31363338345f66736d",
        "UNLINK, global/1262, 0, 0, , 43504a31153e432805000b00000000000807060504030201000000000000000000000000000000000300000000000000676c6f62616c2f31323632",
        "MKDIR, base/16385, 0, 0, , 43504a31cfec92ba06000a00000000000807060504030201000000000000000000000000000000000300000000000000626173652f3136333835",
        "RMDIR, base/16385, 0, 0, , 43504a31861a6e5b07000a00000000000807060504030201000000000000000000000000000000000300000000000000626173652f3136333835",
        "PUT, PG_VERSION, 0, 0, 18, 43504a31b91a632c08000a00020000000807060504030201000000000000000000000000000000000300000058ecb71850475f56455253494f4e3138",
        "FENCE, , 1000000, 1, , 43504a314d5d670d0900000000000000080706050403020140420f000000000001000000000000000300000000000000",
        "EXTEND, base/5/2.1, 65536, 0, , 43504a31adef600e0a000a00000000000807060504030201000001000000000000000000000000000300000000000000626173652f352f322e31"
    })
    void an_entry_has_these_bytes(String type, String path, long offset, long length, String data, String golden) {
        byte[] content = data == null ? new byte[0] : data.getBytes(StandardCharsets.US_ASCII);
        EntryType entryType = EntryType.valueOf(type);
        String name = path == null ? "" : path;
        ByteBuffer encoded = EntryCodec.encode(entryType, name, STAMP, offset, length, 3, ByteBuffer.wrap(content));
        assertThat(HEX.formatHex(encoded.array())).isEqualTo(golden);
        assertThat(EntryCodec.check(encoded, 0, 3)).isEqualTo(encoded.limit());
        assertThat(EntryCodec.check(encoded, 0, 4)).as("another epoch").isEqualTo(EntryCodec.BAD);
        assertThat(EntryCodec.decode(encoded, 0, 99))
                .isEqualTo(new JournalEntry(entryType, name, 99, content.length, STAMP, offset, length));
    }

    @Test
    void every_changed_byte_of_an_entry_is_noticed() {
        ByteBuffer entry = EntryCodec.encode(
                EntryType.PAGE,
                "base/5/1",
                STAMP,
                8192,
                0,
                3,
                ByteBuffer.wrap("data".getBytes(StandardCharsets.UTF_8)));
        for (int i = 0; i < entry.limit(); i++) {
            entry.put(i, (byte) (entry.get(i) ^ 0x10));
            assertThat(EntryCodec.check(entry, 0, 3)).as("byte %d", i).isLessThanOrEqualTo(0);
            entry.put(i, (byte) (entry.get(i) ^ 0x10));
        }
        assertThat(EntryCodec.check(entry, 0, 3)).isEqualTo(entry.limit());
    }
}
