package dev.coppice.storage.layer;

import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;

/**
 * How a frame's page is compressed. Stateless; safe for any number of threads. The codes are part of the layer format.
 * {@code docs/decisions/009-layers.md} has the measurements.
 */
enum FrameCodec {
    /** As it is: what does not become smaller. */
    STORED(0) {
        @Override
        int compress(byte[] page, byte[] target, int at) {
            return NO_GAIN;
        }

        @Override
        boolean decompress(byte[] source, int at, int length, byte[] page) {
            if (length != LayerFormat.BLOCK_SIZE) {
                return false;
            }
            System.arraycopy(source, at, page, 0, length);
            return true;
        }
    },
    /** Fast to read. */
    LZ4(1) {
        @Override
        int compress(byte[] page, byte[] target, int at) {
            return Lz4.FACTORY.fastCompressor().compress(page, 0, page.length, target, at, target.length - at);
        }

        @Override
        boolean decompress(byte[] source, int at, int length, byte[] page) {
            try {
                return Lz4.FACTORY.safeDecompressor().decompress(source, at, length, page, 0, page.length)
                        == page.length;
            } catch (LZ4Exception e) {
                return false;
            }
        }
    },
    /** Smaller. */
    ZSTD(2) {
        @Override
        int compress(byte[] page, byte[] target, int at) {
            try (ZstdCompressCtx context = new ZstdCompressCtx().setLevel(1)) {
                return context.compressByteArray(target, at, target.length - at, page, 0, page.length);
            }
        }

        @Override
        boolean decompress(byte[] source, int at, int length, byte[] page) {
            try (ZstdDecompressCtx context = new ZstdDecompressCtx()) {
                return context.decompressByteArray(page, 0, page.length, source, at, length) == page.length;
            } catch (ZstdException e) {
                return false;
            }
        }
    };

    /** Room that any compressor may need for one page. */
    static final int MAX_COMPRESSED = LayerFormat.BLOCK_SIZE + 512;

    /** Instead of a length: store it as it is. */
    static final int NO_GAIN = -1;

    private static final FrameCodec[] ALL = values();

    /** Loads the native library at the first use, not before. */
    private static final class Lz4 {
        static final LZ4Factory FACTORY = LZ4Factory.fastestInstance();
    }

    private final int code;

    FrameCodec(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }

    static @org.jspecify.annotations.Nullable FrameCodec ofCode(int code) {
        return code >= 0 && code < ALL.length ? ALL[code] : null;
    }

    /**
     * Compresses a page to {@code target} from byte {@code at}, where {@link #MAX_COMPRESSED} bytes are free.
     *
     * @return the length, or {@link #NO_GAIN}
     */
    abstract int compress(byte[] page, byte[] target, int at);

    /** Restores a page; false when the bytes are none of this codec's. */
    abstract boolean decompress(byte[] source, int at, int length, byte[] page);
}
