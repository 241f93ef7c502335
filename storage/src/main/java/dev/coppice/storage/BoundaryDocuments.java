package dev.coppice.storage;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The documents of boundaries, one file for each timeline that has one, outside of the timelines' directories: computes own those
 * and could change what they may see. A document names where its timeline begins, so that a changed {@code
 * timeline.json} leads nowhere. Thread-safe.
 */
final class BoundaryDocuments {
    /** No timeline can have this name. */
    private static final String DIRECTORY = ".boundaries";

    private final Path directory;
    private volatile Boundary.@Nullable Loader loader;

    BoundaryDocuments(Path timelines) {
        this.directory = timelines.resolve(DIRECTORY);
    }

    void use(Boundary.Loader chosen) {
        loader = chosen;
    }

    boolean exists(TimelineId id) {
        return Files.exists(file(id));
    }

    /** Stores a document, durably. */
    void store(TimelineId id, BranchPoint point, byte[] document) throws IOException {
        DurableFiles.createPrivateDirectory(directory);
        byte[] head = head(point);
        byte[] whole = Arrays.copyOf(head, head.length + document.length);
        System.arraycopy(document, 0, whole, head.length, document.length);
        DurableFiles.replace(file(id), whole);
    }

    void delete(TimelineId id) throws IOException {
        Files.deleteIfExists(file(id));
    }

    /** Deletes the documents of timelines without a directory: their creation or deletion was interrupted. */
    void deleteOrphans(Path timelines) throws IOException {
        if (!Files.isDirectory(directory)) {
            return;
        }
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                if (!Files.exists(timelines.resolve(file.getFileName()))) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    /** The boundary of a timeline that begins at {@code point}, loaded when it is first needed; null when it has none. */
    @Nullable
    BoundaryGate gate(TimelineId id, @Nullable BranchPoint point) {
        if (!exists(id)) {
            return null;
        }
        if (point == null) {
            throw new StorageException("timeline " + id + " has a boundary and no parent");
        }
        return new BoundaryGate(this, id, point);
    }

    Boundary load(TimelineId id, BranchPoint point, Boundary.ParentFiles parent) {
        Boundary.Loader chosen = loader;
        if (chosen == null) {
            throw new StorageException(
                    "timeline " + id + " reads through a boundary, and nothing here can load it yet");
        }
        return chosen.load(read(id, point), parent);
    }

    byte[] read(TimelineId id, BranchPoint point) {
        try {
            byte[] whole = Files.readAllBytes(file(id));
            byte[] head = head(point);
            if (!Arrays.equals(head, Arrays.copyOf(whole, head.length))) {
                throw new StorageException("timeline " + id + " begins at " + point + ", and its boundary was made for"
                        + " another point: it is not read");
            }
            return Arrays.copyOfRange(whole, head.length, whole.length);
        } catch (NoSuchFileException e) {
            throw new StorageException("the boundary of timeline " + id + " is gone: it is not read", e);
        } catch (IOException e) {
            throw new StorageException("cannot read the boundary of timeline " + id, e);
        }
    }

    private Path file(TimelineId id) {
        return directory.resolve(id.value());
    }

    private static byte[] head(BranchPoint point) {
        return ("1 " + point.timeline().value() + " " + point.lsn() + "\n").getBytes(StandardCharsets.UTF_8);
    }
}
