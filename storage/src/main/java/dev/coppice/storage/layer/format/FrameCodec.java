package dev.coppice.storage.layer.format;

import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.nio.ByteBuffer;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;

/**
 * How a frame's page is compressed. Stateless; safe for any number of threads. The codes are part of the layer format.
 * {@code docs/decisions/009-layers.md} has the measurements.
 */
public enum FrameCodec {
    /** As it is: what does not become smaller. */
    STORED(0) {
        @Override
        public int compress(byte[] page, byte[] target, int at) {
            return NO_GAIN;
        }

        @Override
        public boolean decompress(ByteBuffer source, int at, int length, byte[] page) {
            if (length != LayerFormat.BLOCK_SIZE) {
                return false;
            }
            source.get(at, page, 0, length);
            return true;
        }
    },
    /** Fast to read. */
    LZ4(1) {
        @Override
        public int compress(byte[] page, byte[] target, int at) {
            return Lz4.FACTORY.fastCompressor().compress(page, 0, page.length, target, at, target.length - at);
        }

        @Override
        public boolean decompress(ByteBuffer source, int at, int length, byte[] page) {
            try {
                ByteBuffer target = ByteBuffer.wrap(page);
                return Lz4.FACTORY.safeDecompressor().decompress(source, at, length, target, 0, page.length)
                        == page.length;
            } catch (LZ4Exception e) {
                return false;
            }
        }
    },
    /** Smaller. */
    ZSTD(2) {
        @Override
        public int compress(byte[] page, byte[] target, int at) {
            return Zstd.COMPRESSORS.use(
                    context -> context.compressByteArray(target, at, target.length - at, page, 0, page.length));
        }

        @Override
        public boolean decompress(ByteBuffer source, int at, int length, byte[] page) {
            byte[] compressed = new byte[length];
            source.get(at, compressed);
            try {
                return Zstd.DECOMPRESSORS.use(
                                context -> context.decompressByteArray(page, 0, page.length, compressed, 0, length))
                        == page.length;
            } catch (ZstdException e) {
                return false;
            }
        }
    };

    /** Room that any compressor may need for one page. */
    public static final int MAX_COMPRESSED = LayerFormat.BLOCK_SIZE + 512;

    /** Instead of a length: store it as it is. */
    public static final int NO_GAIN = -1;

    private static final FrameCodec[] ALL = values();

    /** Loads the native library at the first use, not before. */
    private static final class Lz4 {
        static final LZ4Factory FACTORY = load();

        private static LZ4Factory load() {
            LZ4Factory factory = LZ4Factory.fastestInstance();
            UnpackedLibrary.unlink("liblz4-java-");
            return factory;
        }
    }

    /** Contexts are expensive to make and hold native memory, so a few of them serve all threads. */
    private static final class Zstd {
        static final Pool<ZstdCompressCtx> COMPRESSORS =
                new Pool<>(() -> new ZstdCompressCtx().setLevel(1), ZstdCompressCtx::close);
        static final Pool<ZstdDecompressCtx> DECOMPRESSORS =
                new Pool<>(ZstdDecompressCtx::new, ZstdDecompressCtx::close);
    }

    /** Objects for one user at a time. */
    private static final class Pool<T> {
        private static final int MOST_IDLE = 16;

        private final ArrayBlockingQueue<T> idle = new ArrayBlockingQueue<>(MOST_IDLE);
        private final Supplier<T> make;
        private final Consumer<T> close;

        Pool(Supplier<T> make, Consumer<T> close) {
            this.make = make;
            this.close = close;
        }

        int use(ToIntFunction<T> action) {
            T taken = idle.poll();
            T context = taken == null ? make.get() : taken;
            try {
                return action.applyAsInt(context);
            } finally {
                if (!idle.offer(context)) {
                    close.accept(context);
                }
            }
        }
    }

    private final int code;

    FrameCodec(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    public static @org.jspecify.annotations.Nullable FrameCodec ofCode(int code) {
        return code >= 0 && code < ALL.length ? ALL[code] : null;
    }

    /**
     * Compresses a page to {@code target} from byte {@code at}, where {@link #MAX_COMPRESSED} bytes are free.
     *
     * @return the length, or {@link #NO_GAIN}
     */
    public abstract int compress(byte[] page, byte[] target, int at);

    /** Restores a page; false when the bytes are none of this codec's. The buffer's position does not count. */
    public abstract boolean decompress(ByteBuffer source, int at, int length, byte[] page);
}
