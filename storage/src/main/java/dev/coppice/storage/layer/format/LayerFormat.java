package dev.coppice.storage.layer.format;

import dev.coppice.common.TimelineId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * The bytes of a layer. Integers are little-endian; {@code varint} is 7 bits a byte, lowest first, the top bit set on all
 * but the last; {@code delta} is a varint of the zigzag-coded difference to the same field of the previous record.
 *
 * <pre>
 * layer     := header group* directory footer
 * header    := "COPPICEL" u32 version u8 kind 3 zero bytes, timeline id (36 bytes, zero-padded), 8 zero bytes, u32 checksum
 * group     := frame* part                        at most 256 versions, so a look-up reads a few kilobytes
 * frame     := u32 checksum, u8 codec, payload    one page of 8,192 bytes, compressed if worth it
 * part      := u32 checksum, varint files, file*
 * file      := varint shared, varint length, bytes      the path; shared = bytes in common with the path before
 *              u8 flags                                 1 = goes on from the part before, so there are no events
 *              varint events, event*                    unless it goes on
 *              varint versions, version*
 * event     := u8 kind, delta stamp, delta sequence, varint size
 * version   := varint (block - block before) * 2 + zero, delta stamp, delta sequence, varint frame length unless zero
 * directory := u32 checksum, varint parts, {varint shared, varint length, bytes, varint 0 or block + 1, varint frames'
 *              bytes, varint part's bytes, varint files that begin in the part}*,
 *              varint n, {varint shared, varint length, bytes}*       the directories that the layer has events of
 * footer    := u64 directory offset, u64 directory length, u64 first and last sequence, u64 lowest and highest stamp,
 *              u64 entries, u64 pages, u64 file length, u32 version, u32 kind, "COPPICEL", u32 zero, u32 checksum
 * </pre>
 *
 * <p>Every byte is covered by a checksum: CRC-32C of what follows it in its unit (of what precedes it, in header and
 * footer), changed by the unit's offset and the layer's timeline and name, so a unit that is whole but in the wrong place
 * is noticed as well. The deltas begin at 0 with each file of a part.
 */
public final class LayerFormat {
    public static final int VERSION = 1;
    public static final int BLOCK_SIZE = 8192;

    public static final long MAGIC = ByteBuffer.wrap("COPPICEL".getBytes(StandardCharsets.US_ASCII))
            .order(java.nio.ByteOrder.LITTLE_ENDIAN)
            .getLong();

    public static final int HEADER_SIZE = 64;
    public static final int FOOTER_SIZE = 96;
    public static final int CHECKSUM_SIZE = 4;

    /** Before a frame's payload: checksum and codec. */
    public static final int FRAME_HEAD = CHECKSUM_SIZE + 1;

    /**
     * The longest compressed page that is kept so; what saves less than a quarter is stored as it is, since such pages are
     * the slowest to decompress (docs/decisions/009). No part of the format: every frame says its codec.
     */
    public static final int WORTH_COMPRESSING = BLOCK_SIZE / 4 * 3;

    /** Versions after which a part ends. */
    public static final int PART_VERSIONS = 256;

    /** Bytes after which a part ends. */
    public static final int PART_BYTES = 16 << 10;

    /** The greatest block number: 16 TB files. */
    public static final long MAX_BLOCK = Integer.MAX_VALUE;

    /** In a file's flags: its events are in an earlier part. */
    public static final int CONTINUED = 1;

    private LayerFormat() {}

    /** What makes the checksums of one layer unlike those of another. */
    public static int salt(TimelineId timeline, String name) {
        CRC32C crc = new CRC32C();
        crc.update((timeline.value() + "/" + name).getBytes(StandardCharsets.UTF_8));
        return (int) crc.getValue();
    }

    /** The checksum of bytes that are {@code at} byte {@code offset} of the layer. */
    public static int checksum(int salt, long offset, byte[] bytes, int from, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, from, length);
        return placed(salt, offset, (int) crc.getValue());
    }

    /** As {@link #checksum(int, long, byte[], int, int)}; the buffer's limit must be at or beyond the bytes' end. */
    public static int checksum(int salt, long offset, ByteBuffer bytes, int from, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.slice(from, length));
        return placed(salt, offset, (int) crc.getValue());
    }

    /** As {@link #checksum(int, long, byte[], int, int)}, given the CRC-32C. */
    static int placed(int salt, long offset, int crc) {
        // The finalizer of splitmix64: any two places differ in about half of the bits.
        long z = offset + 0x9E37_79B9_7F4A_7C15L * ((salt & 0xFFFF_FFFFL) + 1);
        z = (z ^ (z >>> 30)) * 0xBF58_476D_1CE4_E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D0_49BB_1331_11EBL;
        return crc ^ (int) (z ^ (z >>> 31));
    }

    static long zigzag(long value) {
        return (value << 1) ^ (value >> 63);
    }

    static long unzigzag(long value) {
        return (value >>> 1) ^ -(value & 1);
    }
}
