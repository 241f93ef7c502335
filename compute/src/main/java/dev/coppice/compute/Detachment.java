package dev.coppice.compute;

import dev.coppice.storage.Timeline;
import dev.coppice.storage.file.FileKind;
import dev.coppice.storage.file.FileStatus;
import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/**
 * Whether what a timeline inherited still has to be kept from acting in its parent's name. A copy of {@code pg_subscription} would take the parent's
 * replication slot at the publisher away: so a timeline that has one is marked when it is made, and its first compute starts without workers and
 * lets nobody in until the subscriptions are switched off. What was switched off is remembered beside it.
 *
 * @param directory the timeline's own, where no compute can write
 */
record Detachment(Path directory) {
    private static final String PENDING = "detach.pending";
    private static final String DONE = "detach.done";

    /** OID of pg_subscription, the same in all versions; it is also its first file's name until it is rewritten. */
    private static final int PG_SUBSCRIPTION = 6100;

    private static final String FILE_MAP = "global/pg_filenode.map";

    /** RelMapFile of src/backend/utils/cache/relmapper.c: magic, count, then pairs of OID and file number. */
    private static final int MAP_MAGIC = 0x592717;

    private static final int MAP_HEAD = 8;
    private static final int MAP_PAIR = 8;

    static Detachment of(Timeline timeline) {
        return new Detachment(timeline.layout().directory());
    }

    /** Marks a timeline that was just made, if there is anything to switch off. Durable when it returns. */
    static void require(Timeline timeline) {
        if (!hasSubscriptions(timeline)) {
            return;
        }
        try {
            DurableFiles.replace(timeline.layout().directory().resolve(PENDING), new byte[0]);
        } catch (IOException e) {
            throw new ComputeException("cannot mark timeline " + timeline.id().value(), e);
        }
    }

    boolean pending() {
        return Files.exists(directory.resolve(PENDING));
    }

    /** Takes the mark away. Durable when it returns. */
    void done(List<String> switchedOff) {
        try {
            DurableFiles.replace(
                    directory.resolve(DONE), String.join("\n", switchedOff).getBytes(StandardCharsets.UTF_8));
            cancel();
        } catch (IOException e) {
            throw new ComputeException("cannot note what was switched off in " + directory, e);
        }
    }

    /** Takes the mark away from a timeline that goes on acting in its own name. */
    void cancel() throws IOException {
        Files.deleteIfExists(directory.resolve(PENDING));
        DurableFiles.syncDirectory(directory);
    }

    /** What was switched off, in words for people; empty when it was nothing. */
    List<String> switchedOff() {
        try {
            return Files.readString(directory.resolve(DONE))
                    .lines()
                    .filter(line -> !line.isBlank())
                    .toList();
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException e) {
            throw new ComputeException("cannot read what was switched off in " + directory, e);
        }
    }

    /** A table that never had a row has no page. */
    private static boolean hasSubscriptions(Timeline timeline) {
        FileStatus status = timeline.stat("global/" + fileNumber(timeline));
        return status.kind() == FileKind.FILE && status.size() > 0;
    }

    private static long fileNumber(Timeline timeline) {
        byte[] bytes = timeline.readFile(FILE_MAP).orElseGet(() -> new byte[0]);
        ByteBuffer map = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.length < MAP_HEAD || map.getInt(0) != MAP_MAGIC) {
            throw new ComputeException(
                    "timeline " + timeline.id().value() + ": " + FILE_MAP + " is not what Postgres writes");
        }
        int count = Math.min(map.getInt(4), (bytes.length - MAP_HEAD) / MAP_PAIR);
        for (int i = 0; i < count; i++) {
            if (map.getInt(MAP_HEAD + i * MAP_PAIR) == PG_SUBSCRIPTION) {
                return Integer.toUnsignedLong(map.getInt(MAP_HEAD + i * MAP_PAIR + 4));
            }
        }
        // It is no mapped catalog: then it has a file number in pg_class, which begins as its OID.
        return PG_SUBSCRIPTION;
    }
}
