package dev.coppice.storage.boundary;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.BoundaryException;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.io.DurableFiles;
import dev.coppice.storage.layout.BranchPoint;
import dev.coppice.storage.layout.TimelineMetadata;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The documents of boundaries, one file for each timeline that has one, outside of the timelines' directories: computes own what
 * is in those and could change what they may see. A document names where its timeline begins, and {@code timeline.json} has
 * the document's hash; unless both agree, nothing of the parent is shown. Thread-safe.
 *
 * <p>Crash argument: a document is made after the directory {@code .new-<id>} and before {@code timeline.json}, and deleted after the
 * timeline's directory is called {@code .deleted-<id>} and before that goes. So what a crash leaves lies beside a directory
 * of one of these names, and a document without one is never deleted: its timeline may be about to be put back.
 */
public final class BoundaryDocuments {
    /** No timeline may have this name. */
    public static final String DIRECTORY = "boundaries";

    /** Where documents lay before; a copy by {@code timelines/*} missed it. */
    private static final String FORMER_DIRECTORY = ".boundaries";

    private static final Logger LOG = LoggerFactory.getLogger(BoundaryDocuments.class);

    private final Path timelines;
    private final Path directory;
    private final Path formerDirectory;
    private volatile Boundary.@Nullable Loader loader;

    public BoundaryDocuments(Path timelines) {
        this.timelines = timelines;
        this.directory = timelines.resolve(DIRECTORY);
        this.formerDirectory = timelines.resolve(FORMER_DIRECTORY);
    }

    public void use(Boundary.Loader chosen) {
        loader = chosen;
    }

    boolean exists(TimelineId id) {
        return Files.exists(file(id));
    }

    /**
     * Stores a document, durably.
     *
     * @return the hash for {@link TimelineMetadata#boundary}
     */
    public String store(TimelineId id, BranchPoint point, byte[] document) throws IOException {
        DurableFiles.createPrivateDirectory(directory);
        DurableFiles.syncDirectory(timelines);
        byte[] head = head(point);
        byte[] whole = Arrays.copyOf(head, head.length + document.length);
        System.arraycopy(document, 0, whole, head.length, document.length);
        DurableFiles.replace(file(id), whole);
        return hash(whole);
    }

    public void delete(TimelineId id) throws IOException {
        Files.deleteIfExists(file(id));
    }

    /** Deletes the document of a creation or deletion that a crash ended, unless the timeline is there. */
    public void deleteLeftOver(String timeline) throws IOException {
        Path file = directory.resolve(timeline);
        if (Files.isRegularFile(file) && !Files.exists(timelines.resolve(timeline))) {
            Files.delete(file);
        }
    }

    /**
     * Moves documents to where they lie today. One that is there already stays: the hash says which is right.
     */
    public void adoptFormerDirectory() throws IOException {
        if (!Files.isDirectory(formerDirectory)) {
            return;
        }
        DurableFiles.createPrivateDirectory(directory);
        boolean all = true;
        try (Stream<Path> files = Files.list(formerDirectory)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Path target = directory.resolve(file.getFileName());
                if (Files.exists(target)) {
                    all = false;
                } else {
                    Files.move(file, target, StandardCopyOption.ATOMIC_MOVE);
                }
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        DurableFiles.syncDirectory(directory);
        if (all) {
            Files.delete(formerDirectory);
            LOG.info("What says what anonymized branches hide lies in {} now", directory);
        }
    }

    /**
     * The hash of a document that is there, for a timeline whose metadata is of a time when it said nothing about it; null when there is
     * none.
     *
     * @throws BoundaryException when it is not the timeline's
     */
    @Nullable
    public String hashOf(TimelineId id, @Nullable BranchPoint point) {
        if (!exists(id)) {
            return null;
        }
        byte[] whole = readWhole(id);
        requireHead(id, point, whole);
        return hash(whole);
    }

    /** The boundary of a timeline, loaded when it is first needed; null when it has none. */
    @Nullable
    public BoundaryGate gate(TimelineMetadata metadata) {
        if (metadata.boundary() == null && !exists(metadata.id())) {
            return null;
        }
        return new BoundaryGate(this, metadata);
    }

    Boundary load(TimelineMetadata metadata, Boundary.ParentFiles parent) {
        Boundary.Loader chosen = loader;
        if (chosen == null) {
            throw new StorageException(
                    "timeline " + metadata.id() + " reads through a boundary, and nothing here can load it yet");
        }
        return chosen.load(read(metadata), parent);
    }

    /**
     * The document that a timeline was made with.
     *
     * @throws BoundaryException when it is not there, or not that one
     */
    public byte[] read(TimelineMetadata metadata) {
        TimelineId id = metadata.id();
        String expected = metadata.boundary();
        byte[] whole = readWhole(id);
        if (expected == null) {
            throw refusal(
                    id,
                    "there is a document " + file(id) + " that hides what it may not see, but its "
                            + TimelineMetadata.FILE_NAME + " knows of none");
        }
        int head = requireHead(id, metadata.ancestor(), whole);
        if (!expected.equals(hash(whole))) {
            throw refusal(
                    id,
                    "the document " + file(id) + " that hides what it may not see is not the one that it was made"
                            + " with (its SHA-256 is not " + expected + ")");
        }
        return Arrays.copyOfRange(whole, head, whole.length);
    }

    private byte[] readWhole(TimelineId id) {
        try {
            return Files.readAllBytes(file(id));
        } catch (NoSuchFileException e) {
            throw refusal(id, "the document " + file(id) + " that hides what it may not see is missing", e);
        } catch (IOException e) {
            throw refusal(
                    id,
                    "the document " + file(id) + " that hides what it may not see cannot be read: " + e.getMessage(),
                    e);
        }
    }

    private int requireHead(TimelineId id, @Nullable BranchPoint point, byte[] whole) {
        byte[] head = point == null ? new byte[0] : head(point);
        if (point == null
                || whole.length < head.length
                || !Arrays.equals(head, 0, head.length, whole, 0, head.length)) {
            throw refusal(
                    id,
                    "it begins at " + (point == null ? "no other timeline" : point.toString()) + ", and the document "
                            + file(id) + " that hides what it may not see was made for another point");
        }
        return head.length;
    }

    private static BoundaryException refusal(TimelineId id, String what) {
        return refusal(id, what, null);
    }

    private static BoundaryException refusal(TimelineId id, String what, @Nullable Throwable cause) {
        return new BoundaryException(
                "timeline " + id + " is anonymized, and nothing that it has of its parent is shown: " + what
                        + ". Restore the document and the timeline's " + TimelineMetadata.FILE_NAME
                        + " from a backup and restart the server, or delete the branch",
                cause);
    }

    private Path file(TimelineId id) {
        return directory.resolve(id.value());
    }

    private static byte[] head(BranchPoint point) {
        return ("1 " + point.timeline().value() + " " + point.lsn() + "\n").getBytes(StandardCharsets.UTF_8);
    }

    private static String hash(byte[] whole) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(whole));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
