package dev.coppice.storage.journal;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.ChecksumMismatchException;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.io.DurableFiles;
import dev.coppice.storage.io.FileSpace;
import dev.coppice.storage.io.OpenFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** One file of a journal: all entries of one epoch. Immutable handle; safe for any number of threads. */
public final class JournalSegment {
    /** A block, in bytes. */
    public static final int BLOCK_SIZE = 8192;

    /** What a file system can free, in bytes. */
    private static final long FILE_BLOCK = 4096;

    private static final Pattern NAME = Pattern.compile("[0-9]{8,10}\\.journal");

    private final Path file;
    private final SegmentHeader header;
    private final OpenFiles files;

    private JournalSegment(Path file, SegmentHeader header, OpenFiles files) {
        this.file = file;
        this.header = header;
        this.files = files;
    }

    /** The segments in a directory by epoch; none when the directory is absent. */
    public static List<JournalSegment> openAll(Path directory, TimelineId timeline, OpenFiles files) {
        List<JournalSegment> segments = new ArrayList<>();
        if (!Files.isDirectory(directory)) {
            return segments;
        }
        try (Stream<Path> names = Files.list(directory)) {
            names.filter(p -> NAME.matcher(p.getFileName().toString()).matches())
                    .forEach(p -> openIfThere(p, timeline, files).ifPresent(segments::add));
        } catch (IOException e) {
            throw new StorageException("cannot list " + directory, e);
        } catch (UncheckedIOException e) {
            throw new StorageException("cannot list " + directory, e.getCause());
        }
        segments.sort((a, b) -> Integer.compare(a.epoch(), b.epoch()));
        return Collections.unmodifiableList(segments);
    }

    /** A flushed segment may go at any moment. */
    private static Optional<JournalSegment> openIfThere(Path file, TimelineId timeline, OpenFiles files) {
        try {
            return Optional.of(open(file, timeline, files));
        } catch (StorageException e) {
            if (Files.exists(file)) {
                throw e;
            }
            return Optional.empty();
        }
    }

    /** Opens a segment and checks that it belongs to {@code timeline}. */
    static JournalSegment open(Path file, TimelineId timeline, OpenFiles files) {
        ByteBuffer buffer = ByteBuffer.allocate(SegmentHeader.SIZE);
        if (files.read(file, 0, buffer) < SegmentHeader.SIZE) {
            throw new StorageException(file + ": the journal header is cut short");
        }
        SegmentHeader header = SegmentHeader.decode(buffer.array(), file);
        if (!header.timeline().equals(timeline)) {
            throw new StorageException(file + " belongs to timeline " + header.timeline() + ", not " + timeline);
        }
        if (!fileName(header.epoch()).equals(file.getFileName().toString())) {
            throw new StorageException(file + " says that it is of epoch " + header.epoch());
        }
        return new JournalSegment(file, header, files);
    }

    /**
     * Creates an epoch's segment in {@code directory}, durable when this returns. It gets its name only when its header is
     * whole, so a crash leaves no segment without one.
     */
    public static JournalSegment create(Path directory, SegmentHeader header, OpenFiles files) {
        Path file = directory.resolve(fileName(header.epoch()));
        try {
            if (Files.exists(file)) {
                throw new StorageException(file + " exists already");
            }
            DurableFiles.replace(file, header.encode());
        } catch (IOException e) {
            throw new StorageException("cannot create " + file, e);
        }
        return new JournalSegment(file, header, files);
    }

    /** In the length of a fence: the epoch ended with it. */
    public static final long ENDED = 1;

    /** As {@link #ENDED}; and before it was written, every entry of the segment had been read and was durable. */
    public static final long ENDED_WHOLE = 2;

    private static String fileName(int epoch) {
        return String.format(java.util.Locale.ROOT, "%08d.journal", epoch);
    }

    /** The segment's file. */
    public Path file() {
        return file;
    }

    /** The number of the epoch. */
    public int epoch() {
        return header.epoch();
    }

    /** The LSN at which the epoch began, compared unsigned. */
    public long startMark() {
        return header.startMark();
    }

    /** Bytes in the file now. */
    public long size() {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new StorageException("cannot see the size of " + file, e);
        }
    }

    /**
     * Appends encoded entries, which must be complete, in one write: what a second one added could lie behind an entry of
     * another process.
     *
     * @throws StorageException also when only a part found room; readers skip it
     */
    public void append(ByteBuffer entries) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
            channel.write(entries);
            if (entries.hasRemaining()) {
                throw new StorageException("cannot append to " + file + ": the disk is full");
            }
        } catch (IOException e) {
            throw new StorageException("cannot append to " + file, e);
        }
    }

    /** Makes everything appended so far durable. */
    public void sync() {
        try {
            DurableFiles.syncData(file);
        } catch (IOException e) {
            throw new StorageException("cannot sync " + file, e);
        }
    }

    /**
     * Gives back the space of the entries before {@code position}, which nobody will read again. The header and the last
     * entry stay.
     */
    public void free(long position) {
        long last = Math.min(position, size() - EntryCodec.FIXED_SIZE);
        long end = last - last % FILE_BLOCK;
        if (end > FILE_BLOCK) {
            FileSpace.punchHole(file, FILE_BLOCK, end - FILE_BLOCK);
        }
    }

    /** Removes the file. */
    public void delete() {
        try {
            Files.deleteIfExists(file);
            files.forget(file);
        } catch (IOException e) {
            throw new StorageException("cannot delete " + file, e);
        }
    }

    /** The last entry when the file ends with a whole one that has neither path nor data, as a fence does; else null. */
    public @Nullable JournalEntry lastIfWithoutPath() {
        long position = size() - EntryCodec.FIXED_SIZE;
        if (position < SegmentHeader.SIZE) {
            return null;
        }
        ByteBuffer buffer = readSpan(position, EntryCodec.FIXED_SIZE);
        return EntryCodec.check(buffer, 0, header.epoch()) == EntryCodec.FIXED_SIZE
                ? EntryCodec.decode(buffer, 0, position)
                : null;
    }

    /** Reads raw bytes; fewer than asked at the end of the file. */
    int read(long position, ByteBuffer target) {
        return files.read(file, position, target);
    }

    /**
     * Reads {@code length} bytes that hold whole entries known to be there.
     *
     * @return a heap buffer from position 0
     */
    public ByteBuffer readSpan(long position, int length) {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        files.read(file, position, buffer);
        return buffer.flip();
    }

    /** As {@link #readSpan(long, int)}, into {@code target}, which has room; it is read from position 0 afterwards. */
    public void readSpan(long position, int length, ByteBuffer target) {
        files.read(file, position, target.clear().limit(length));
        target.flip();
    }

    /**
     * The most bytes that the entry of one page of {@code path} takes.
     */
    public static int maxPageEntrySize(String path) {
        return EntryCodec.FIXED_SIZE + path.getBytes(StandardCharsets.UTF_8).length + BLOCK_SIZE;
    }

    /**
     * Reads the data of the one entry at {@code position}, its checksums verified.
     *
     * @throws ChecksumMismatchException when the bytes are not the entry that was written
     */
    public ByteBuffer readData(long position, String path) {
        ByteBuffer fixed = readSpan(position, EntryCodec.FIXED_SIZE);
        long size = EntryCodec.claimedSize(fixed);
        return verifiedData(readSpan(position, (int) size), 0, position, path);
    }

    /**
     * The data of the entry at {@code at} in a buffer from {@link #readSpan}, its checksums verified.
     *
     * @param position the entry's place in the segment, for the error
     * @param path the file that the entry must be of
     * @throws ChecksumMismatchException when the bytes are not the entry that was written
     */
    public ByteBuffer verifiedData(ByteBuffer span, int at, long position, String path) {
        long size = EntryCodec.check(span, at, header.epoch());
        if (size <= 0) {
            throw new ChecksumMismatchException(
                    file + " at byte " + position + ": the entry of \"" + path + "\" has a wrong checksum");
        }
        JournalEntry entry = EntryCodec.decode(span, at, position);
        if (!entry.path().equals(path)) {
            throw new ChecksumMismatchException(
                    file + " at byte " + position + ": expected an entry of \"" + path + "\", found " + entry.path());
        }
        return span.slice(at + (int) size - entry.dataLength(), entry.dataLength());
    }

    @Override
    public String toString() {
        return file.toString();
    }
}
