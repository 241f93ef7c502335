package dev.coppice.control.api.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who changed what, and who looked at a secret: one JSON object per line in a file that only the server's user can read. A line is written before
 * its request is answered. The file is rotated by size; the oldest goes. No bodies, no keys, no passwords. Thread-safe.
 */
public final class AuditLog implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(AuditLog.class);
    private static final long FILE_MAX_BYTES = 16 << 20;

    /** The current one and the older ones. */
    static final int FILES = 10;

    private final Path file;
    private final long fileMaxBytes;
    private FileChannel channel;

    private AuditLog(Path file, long fileMaxBytes, FileChannel channel) {
        this.file = file;
        this.fileMaxBytes = fileMaxBytes;
        this.channel = channel;
    }

    /**
     * One request.
     *
     * @param route the pattern of its path
     * @param path as it was asked for, without the query
     * @param message why it was refused; absent when it was not
     */
    record Entry(
            Instant at,
            String requestId,
            long keyId,
            String keyName,
            String address,
            String method,
            String route,
            String path,
            int status,
            @Nullable String message,
            long durationMs) {}

    /** Opens the file, which is made when it is missing. */
    public static AuditLog open(Path file) {
        return open(file, FILE_MAX_BYTES);
    }

    /** @param fileMaxBytes a file of more is put aside before the next line */
    public static AuditLog open(Path file, long fileMaxBytes) {
        try {
            return new AuditLog(file, fileMaxBytes, append(file));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot open the audit log " + file, e);
        }
    }

    private static FileChannel append(Path file) throws IOException {
        return FileChannel.open(
                file,
                Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    }

    /** Writes a line. A failure is logged: what the line tells of has been done already. */
    synchronized void note(Entry entry) {
        byte[] json = Json.write(entry);
        ByteBuffer line =
                ByteBuffer.allocate(json.length + 1).put(json).put((byte) '\n').flip();
        try {
            if (channel.size() > fileMaxBytes) {
                rotate();
            }
            while (line.hasRemaining()) {
                channel.write(line);
            }
        } catch (IOException e) {
            log.error("The audit log lacks request {} of key {}", entry.requestId(), entry.keyId(), e);
        }
    }

    private void rotate() throws IOException {
        channel.close();
        for (int i = FILES - 1; i > 0; i--) {
            Path older = i == 1 ? file : numbered(i - 1);
            try {
                Files.move(older, numbered(i), StandardCopyOption.REPLACE_EXISTING);
            } catch (NoSuchFileException missing) {
                log.trace("There is no {} yet", missing.getFile());
            }
        }
        channel = append(file);
    }

    private Path numbered(int number) {
        return file.resolveSibling(file.getFileName() + "." + number);
    }

    @Override
    public synchronized void close() {
        try {
            channel.close();
        } catch (IOException e) {
            log.warn("Closing the audit log: {}", e.getMessage());
        }
    }
}
