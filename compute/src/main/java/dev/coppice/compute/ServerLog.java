package dev.coppice.compute;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * The log of a compute: standard error of its Postgres, appended to a file in a directory that only the server enters. The processes hold it open in append mode, so
 * the file can be cut under them: when it has grown past {@link #SIZE_MAX} its content is copied to {@code <name>.1} and
 * the file emptied; lines written between both steps are lost.
 */
record ServerLog(Path file) {
    static final long SIZE_MAX = 16L << 20;

    /** What is kept of it then, the last of it. */
    private static final long COPIED_MAX = 2 * SIZE_MAX;

    private static final int TAIL_BYTES = 8192;

    /** Cuts the log when it is too long. */
    void limit() throws IOException {
        try {
            if (Files.size(file) <= SIZE_MAX) {
                return;
            }
        } catch (NoSuchFileException e) {
            return;
        }
        Path older = file.resolveSibling(file.getFileName() + ".1");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
                FileChannel copy = FileChannel.open(
                        older,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.TRUNCATE_EXISTING)) {
            // Its end alone: a compute can make the file as long as it likes.
            long end = channel.size();
            for (long at = Math.max(0, end - COPIED_MAX); at < end; ) {
                long copied = channel.transferTo(at, end - at, copy);
                if (copied <= 0) {
                    break;
                }
                at += copied;
            }
            channel.truncate(0);
        }
    }

    /** Removes it, with what was cut off. */
    void delete() throws IOException {
        Files.deleteIfExists(file);
        Files.deleteIfExists(file.resolveSibling(file.getFileName() + ".1"));
    }

    /** Its size in bytes, to remember where a start began. */
    long size() throws IOException {
        return Files.exists(file) ? Files.size(file) : 0;
    }

    /** The last lines written after a position, for an error message. */
    String tail(long from, int lines) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long start = Math.max(Math.min(from, channel.size()), channel.size() - TAIL_BYTES);
            ByteBuffer buffer = ByteBuffer.allocate(TAIL_BYTES);
            while (buffer.hasRemaining() && channel.read(buffer, start + buffer.position()) > 0) {
                // Until the end of the file.
            }
            List<String> all = new String(buffer.array(), 0, buffer.position(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
            return String.join("\n", all.subList(Math.max(0, all.size() - lines), all.size()));
        } catch (IOException e) {
            return "(its log " + file + " cannot be read: " + e.getMessage() + ")";
        }
    }
}
