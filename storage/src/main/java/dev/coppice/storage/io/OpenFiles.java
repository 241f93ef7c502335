package dev.coppice.storage.io;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import dev.coppice.storage.fault.StorageException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Read-only descriptors shared by all timelines, so that thousands of journal segments cost a bounded number of them.
 *
 * <p>A handle is closed when it is neither cached nor in use. {@link FileChannel} closes itself when a thread is
 * interrupted inside a read; the others that shared it reopen the file and go on.
 */
public final class OpenFiles implements AutoCloseable {
    /** Descriptors kept open without being in use. */
    private static final int MAX_IDLE_FILES = 256;

    private final Cache<Path, Handle> handles = Caffeine.newBuilder()
            .maximumSize(MAX_IDLE_FILES)
            .executor(Runnable::run)
            .removalListener((@Nullable Path path, @Nullable Handle handle, RemovalCause cause) -> {
                if (handle != null) {
                    handle.release();
                }
            })
            .build();

    /**
     * Reads at {@code position} until {@code target} is full or the file ends.
     *
     * @return the bytes read, 0 at or beyond the end
     * @throws StorageException naming the file, also when it is not there
     */
    public int read(Path file, long position, ByteBuffer target) {
        int start = target.position();
        while (true) {
            try (Handle handle = acquire(file)) {
                while (target.hasRemaining()) {
                    if (handle.channel.read(target, position + target.position() - start) < 0) {
                        break;
                    }
                }
                return target.position() - start;
            } catch (ClosedByInterruptException e) {
                handles.invalidate(file);
                throw new StorageException("interrupted while reading " + file, e);
            } catch (ClosedChannelException e) {
                // Another thread was interrupted while it read: the descriptor went with it, the file did not.
                handles.invalidate(file);
            } catch (IOException e) {
                throw new StorageException("cannot read " + file + ": " + e.getMessage(), e);
            }
        }
    }

    /** Forgets the descriptors of every file below {@code directory}. */
    public void forgetBelow(Path directory) {
        for (Path path : handles.asMap().keySet()) {
            if (path.startsWith(directory)) {
                handles.invalidate(path);
            }
        }
    }

    /** Forgets one file's descriptor, after the path was given to other content. */
    public void forget(Path file) {
        handles.invalidate(file);
    }

    @Override
    public void close() {
        handles.invalidateAll();
    }

    private Handle acquire(Path file) throws IOException {
        while (true) {
            try {
                Handle handle = handles.get(file, Handle::open);
                if (handle.retain()) {
                    return handle;
                }
                handles.asMap().remove(file, handle);
            } catch (UncheckedIOException e) {
                throw e.getCause();
            }
        }
    }

    /** One descriptor; the cache holds one reference, each read another. */
    private static final class Handle implements AutoCloseable {
        private final FileChannel channel;
        private final AtomicInteger references = new AtomicInteger(1);

        private Handle(FileChannel channel) {
            this.channel = channel;
        }

        static Handle open(Path file) {
            try {
                return new Handle(open(file.toAbsolutePath().getParent(), String.valueOf(file.getFileName())));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** The directory may be a compute's, and the file anything. */
        private static FileChannel open(@Nullable Path directory, String name) throws IOException {
            try (UntrustedDirectory files = UntrustedDirectory.open(Objects.requireNonNull(directory))) {
                return files.read(name);
            }
        }

        boolean retain() {
            return references.getAndUpdate(n -> n == 0 ? 0 : n + 1) > 0;
        }

        void release() {
            if (references.decrementAndGet() == 0) {
                try {
                    channel.close();
                } catch (IOException e) {
                    throw new StorageException("cannot close a file opened for reading", e);
                }
            }
        }

        @Override
        public void close() {
            release();
        }
    }
}
