package dev.coppice.storage.layer;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.ChecksumMismatchException;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.layer.format.FrameCodec;
import dev.coppice.storage.layer.format.LayerFormat;
import dev.coppice.storage.layer.format.PartDecoder;
import dev.coppice.storage.layer.store.LayerDescriptor;
import dev.coppice.storage.layer.store.LayerStore;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** The units of one layer's file, verified. Immutable and thread-safe; keeps nothing. */
final class LayerBytesReader {
    private final TimelineId timeline;
    private final LayerDescriptor descriptor;
    private final LayerStore.LayerBytes bytes;
    private final int salt;

    LayerBytesReader(LayerStore store, TimelineId timeline, LayerDescriptor descriptor) {
        this.timeline = timeline;
        this.descriptor = descriptor;
        bytes = store.bytes(timeline, descriptor.name());
        salt = LayerFormat.salt(timeline, descriptor.name());
    }

    /** Reads {@code length} bytes, which must be there. */
    byte[] read(long offset, int length) {
        byte[] content = new byte[length];
        int count = bytes.read(offset, ByteBuffer.wrap(content));
        if (count != length) {
            throw damaged(offset, "it ends after " + (offset + count) + " of " + descriptor.bytes() + " bytes");
        }
        return content;
    }

    /** Fills {@code target}, whose limit says how much must be there. */
    void read(long offset, ByteBuffer target) {
        int length = target.remaining();
        int count = bytes.read(offset, target);
        if (count != length) {
            throw damaged(offset, "it ends after " + (offset + count) + " of " + descriptor.bytes() + " bytes");
        }
    }

    /** As {@link #read(long, int)}, but stops at the end of the layer. */
    int readUpTo(long offset, byte[] target) {
        return bytes.read(offset, ByteBuffer.wrap(target));
    }

    /** Reads footer and directory. */
    PartDirectory directory() {
        long footerAt = descriptor.bytes() - LayerFormat.FOOTER_SIZE;
        if (footerAt < LayerFormat.HEADER_SIZE) {
            throw damaged(0, "a layer of " + descriptor.bytes() + " bytes cannot be");
        }
        byte[] raw = read(footerAt, LayerFormat.FOOTER_SIZE);
        ByteBuffer footer = ByteBuffer.wrap(raw).order(ByteOrder.LITTLE_ENDIAN);
        int summed = LayerFormat.FOOTER_SIZE - LayerFormat.CHECKSUM_SIZE;
        verify(footerAt, raw, 0, summed, footer.getInt(summed), "footer");
        long directoryAt = footer.getLong(0);
        long length = footer.getLong(8);
        int version = footer.getInt(72);
        if (version != LayerFormat.VERSION || footer.getLong(80) != LayerFormat.MAGIC) {
            throw new StorageException(
                    "layer " + this + " is of format " + version + "; this version reads " + LayerFormat.VERSION);
        }
        if (footer.getLong(16) != descriptor.firstSequence()
                || footer.getLong(24) != descriptor.lastSequence()
                || footer.getLong(32) != descriptor.minStamp()
                || footer.getLong(40) != descriptor.maxStamp()
                || footer.getLong(48) != descriptor.entries()
                || footer.getLong(56) != descriptor.pages()
                || footer.getLong(64) != descriptor.bytes()
                || footer.getInt(76) != descriptor.kind().code()
                || directoryAt < LayerFormat.HEADER_SIZE
                || length < LayerFormat.CHECKSUM_SIZE
                || length != footerAt - directoryAt
                || length > Integer.MAX_VALUE - 64) {
            throw damaged(footerAt, "its footer is not the one that the manifest describes");
        }
        byte[] directory = unit(directoryAt, (int) length, "directory");
        return new PartDirectory(decoder(directory, directoryAt, "directory"), directoryAt);
    }

    /** Verifies the header, which nothing else needs. */
    void verifyHeader() {
        byte[] raw = read(0, LayerFormat.HEADER_SIZE);
        ByteBuffer header = ByteBuffer.wrap(raw).order(ByteOrder.LITTLE_ENDIAN);
        int summed = LayerFormat.HEADER_SIZE - LayerFormat.CHECKSUM_SIZE;
        verify(0, raw, 0, summed, header.getInt(summed), "header");
        String id = new String(raw, 16, TimelineId.MAX_LENGTH, StandardCharsets.US_ASCII).trim();
        if (header.getLong(0) != LayerFormat.MAGIC
                || header.getInt(8) != LayerFormat.VERSION
                || header.getInt(12) != descriptor.kind().code()
                || !id.equals(timeline.value())) {
            throw damaged(0, "its header is of another layer");
        }
    }

    IndexPart part(PartDirectory directory, int part) {
        long offset = directory.offset(part);
        byte[] unit = unit(offset, directory.length(part), "index part");
        long framesAt = directory.framesAt(part);
        IndexPart decoded = new IndexPart(decoder(unit, offset, "index part"), framesAt, offset - framesAt);
        if (decoded.isFirstContinued() != directory.isContinued(part)
                || decoded.count() - (decoded.isFirstContinued() ? 1 : 0) != directory.starts(part)) {
            throw damaged(offset, "its index part is not the one that the directory describes");
        }
        return decoded;
    }

    /** Verifies the frame of a version that lies at {@code at} in {@code span}, a little-endian buffer. */
    void verifyFrame(LayerBlock block, ByteBuffer span, int at) {
        int from = at + LayerFormat.CHECKSUM_SIZE;
        int length = block.frameLength() - LayerFormat.CHECKSUM_SIZE;
        if (LayerFormat.checksum(salt, block.frame(), span, from, length) != span.getInt(at)) {
            throw damaged(block.frame(), "its page has a wrong checksum");
        }
    }

    /** Verifies and decompresses the frame of a version that lies at {@code at} in {@code span}. */
    void decode(LayerBlock block, ByteBuffer span, int at, byte[] page) {
        verifyFrame(block, span, at);
        decompress(block, span, at, FrameCodec.ofCode(span.get(at + LayerFormat.CHECKSUM_SIZE)), page);
    }

    /**
     * As {@link #decode}, but a page that is stored as it is is not copied.
     *
     * @return the page, read-only: part of {@code span}, or {@code page}
     */
    ByteBuffer view(LayerBlock block, ByteBuffer span, int at, byte[] page) {
        verifyFrame(block, span, at);
        FrameCodec codec = FrameCodec.ofCode(span.get(at + LayerFormat.CHECKSUM_SIZE));
        if (codec == FrameCodec.STORED && block.frameLength() == LayerFormat.FRAME_HEAD + page.length) {
            return span.slice(at + LayerFormat.FRAME_HEAD, page.length).asReadOnlyBuffer();
        }
        decompress(block, span, at, codec, page);
        return ByteBuffer.wrap(page).asReadOnlyBuffer();
    }

    private void decompress(LayerBlock block, ByteBuffer span, int at, @Nullable FrameCodec codec, byte[] page) {
        int from = at + LayerFormat.FRAME_HEAD;
        if (codec == null || !codec.decompress(span, from, block.frameLength() - LayerFormat.FRAME_HEAD, page)) {
            throw damaged(block.frame(), "its page cannot be decompressed");
        }
    }

    ChecksumMismatchException damaged(long offset, String what) {
        return new ChecksumMismatchException("layer " + this + " is damaged at byte " + offset + ": " + what);
    }

    private byte[] unit(long offset, int length, String what) {
        if (length <= LayerFormat.CHECKSUM_SIZE) {
            throw damaged(offset, "its " + what + " cannot be of " + length + " bytes");
        }
        byte[] unit = read(offset, length);
        int from = LayerFormat.CHECKSUM_SIZE;
        int stored = ByteBuffer.wrap(unit).order(ByteOrder.LITTLE_ENDIAN).getInt(0);
        verify(offset, unit, from, length - from, stored, what);
        return unit;
    }

    private PartDecoder decoder(byte[] unit, long offset, String what) {
        return new PartDecoder(
                unit, LayerFormat.CHECKSUM_SIZE, () -> "layer " + this + " at byte " + offset + ": its " + what);
    }

    private void verify(long offset, byte[] unit, int from, int length, int stored, String what) {
        if (LayerFormat.checksum(salt, offset, unit, from, length) != stored) {
            throw damaged(offset, "its " + what + " has a wrong checksum");
        }
    }

    @Override
    public String toString() {
        return descriptor.name() + " of timeline " + timeline;
    }
}
