package dev.coppice.storage;

import dev.coppice.common.config.StorageConfiguration;
import dev.coppice.storage.io.FileWrites;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** A page service that writes layers to a disk of a certain speed. */
public final class SlowDisk {
    private SlowDisk() {}

    /** @param bytesPerSecond of each layer that is written */
    public static PageService open(Path timelines, StorageConfiguration configuration, long bytesPerSecond) {
        return PageService.open(timelines, configuration, new FileWrites() {
            @Override
            public void write(FileChannel channel, ByteBuffer bytes) throws IOException {
                long nanos = bytes.remaining() * 1_000_000_000L / bytesPerSecond;
                super.write(channel, bytes);
                try {
                    Thread.sleep(nanos / 1_000_000, (int) (nanos % 1_000_000));
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new InterruptedIOException("closing");
                }
            }
        });
    }

    /** Bytes of journal that wait to be flushed. */
    public static long backlog(Timeline timeline) {
        return timeline.history().journal().backlogBytes();
    }
}
