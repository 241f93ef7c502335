package dev.coppice.storage.index;

import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.journal.DamagedEntry;
import dev.coppice.storage.journal.EntryCodec;
import dev.coppice.storage.journal.EntryType;
import dev.coppice.storage.journal.JournalEntry;
import dev.coppice.storage.journal.JournalSegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The index of a stretch of one timeline's journal. Not thread-safe: the owner lets one thread add or many read.
 *
 * <p>Every question takes an LSN, compared unsigned; {@link #HEAD} sees every entry.
 */
public final class TimelineIndex {
    /** The LSN that sees everything, also stamps above the end of WAL. */
    public static final long HEAD = -1L;

    private static final int BLOCK = JournalSegment.BLOCK_SIZE;

    /** Kinds of block versions in an {@link EntryRef}. */
    private static final int PAGE = 0;

    private static final int ZERO = 1;
    private static final int WHOLE = 2;

    /** Epochs before positions: a sequence compares in journal order. */
    private static final int SEQUENCE_POSITION_BITS = 44;

    /** A version and its share of {@link BlockHeads}; and a file with its name and maps. */
    private static final long HEAP_PER_VERSION = 28;

    private static final long HEAP_PER_FILE = 600;

    /**
     * The most blocks of zeroes, 16 GB of them, in what is not flushed: each stands for a version in memory, and an entry of 48 bytes
     * can make 131,072. A flush follows every 256 MB of WAL at the latest, and Postgres does not extend files so far without WAL.
     */
    static final long MAX_ZERO_BLOCKS = 1L << 21;

    private static final int MAX_EPOCH = 1 << (Long.SIZE - SEQUENCE_POSITION_BITS);

    private final List<JournalSegment> segments = new ArrayList<>();
    private final List<Fences> fences = new ArrayList<>();
    private final VersionStore versions = new VersionStore();
    private final Map<String, FileEntries> files = new HashMap<>();
    private final Map<String, FileHistory> directories = new HashMap<>();
    private final Map<String, Set<String>> names = new HashMap<>();
    private final List<Damage> damage = new ArrayList<>();
    private long journalBytes;
    private long zeroBlocks;

    private static final class FileEntries {
        final FileHistory history = new FileHistory();
        final BlockHeads heads = new BlockHeads();
    }

    /**
     * Begins a segment; entries are added to the last one begun.
     *
     * @param floor no entry that is added has a lower effective stamp
     */
    public void addSegment(JournalSegment segment, long floor) {
        if (fences.size() == EntryRef.MAX_SEGMENTS || segment.epoch() >= MAX_EPOCH) {
            throw new StorageException(segment + ": a timeline cannot have more than " + EntryRef.MAX_SEGMENTS
                    + " epochs whose journals were not flushed, nor more than " + MAX_EPOCH + " in all");
        }
        segments.add(segment);
        fences.add(new Fences(floor));
    }

    /** Whether no entry but fences was added. */
    public boolean isEmpty() {
        return files.isEmpty() && directories.isEmpty();
    }

    /** Bytes of journal that it stands for, without fences. */
    public long journalBytes() {
        return journalBytes;
    }

    /** About what it takes of the heap, in bytes. */
    public long heapBytes() {
        return HEAP_PER_VERSION * versions.count() + HEAP_PER_FILE * (files.size() + (long) directories.size());
    }

    /** The segments it reaches over. */
    public int segmentCount() {
        return segments.size();
    }

    /** As a fence entry of the newest segment does. */
    void fence(long offset, long stamp) {
        fences.getLast().add(offset, stamp);
    }

    /** The stamp of the newest segment's last fence, or just below its floor; what comes later is higher. */
    long lastFenceStamp() {
        return fences.getLast().lastStamp();
    }

    /** Adds the next entry of the newest segment. */
    public void add(JournalEntry entry) {
        if (entry.position() >= EntryRef.MAX_POSITION) {
            throw new StorageException("a journal segment cannot be larger than " + EntryRef.MAX_POSITION + " bytes");
        }
        if (entry.type() != EntryType.FENCE) {
            journalBytes +=
                    entry.dataLength() + EntryCodec.FIXED_SIZE + entry.path().length();
        }
        int segment = fences.size() - 1;
        long position = entry.position();
        long stamp = entry.stamp();
        switch (entry.type()) {
            case PAGE -> {
                FileEntries file = file(entry.path());
                push(file, entry.offset() / BLOCK, EntryRef.of(segment, position, PAGE), stamp);
                grow(file, entry, entry.offset() + entry.dataLength());
            }
            case ZERO -> {
                FileEntries file = file(entry.path());
                long end = entry.offset() + entry.length();
                countZeroes(entry);
                for (long block = entry.offset() / BLOCK; block < end / BLOCK; block++) {
                    push(file, block, EntryRef.of(segment, position, ZERO), stamp);
                }
                grow(file, entry, end);
            }
            case EXTEND -> grow(file(entry.path()), entry, entry.offset());
            case TRUNCATE -> addEvent(file(entry.path()), FileEventKind.TRUNCATE, entry, entry.offset());
            case CREATE -> addEvent(file(entry.path()), FileEventKind.CREATE, entry, 0);
            case UNLINK -> addEvent(file(entry.path()), FileEventKind.UNLINK, entry, 0);
            case PUT -> {
                FileEntries file = file(entry.path());
                addEvent(file, FileEventKind.PUT, entry, entry.dataLength());
                for (long block = 0; block * BLOCK < entry.dataLength(); block++) {
                    push(file, block, EntryRef.of(segment, position, WHOLE), stamp);
                }
            }
            case MKDIR -> directory(entry, FileEventKind.MKDIR);
            case RMDIR -> directory(entry, FileEventKind.RMDIR);
            case FENCE -> fences.get(segment).add(entry.offset(), entry.stamp());
        }
    }

    private void countZeroes(JournalEntry entry) {
        zeroBlocks += entry.length() / BLOCK;
        if (zeroBlocks > MAX_ZERO_BLOCKS) {
            throw new StorageException(segments.getLast() + " at byte " + entry.position() + ": more than "
                    + MAX_ZERO_BLOCKS
                    + " blocks of zeroes that are in no layer: the journal is damaged, or a program in"
                    + " the compute has written to it");
        }
    }

    /** Adds what is left of the next entry of the newest segment, which is damaged: what it did, but not what it held. */
    void addDamaged(DamagedEntry damaged) {
        damage.add(Damage.of(segments.getLast(), damaged));
        JournalEntry entry = damaged.entry();
        if (entry == null) {
            return;
        }
        switch (entry.type()) {
            case PAGE -> grow(file(entry.path()), entry, entry.offset() + entry.dataLength());
            case ZERO -> grow(file(entry.path()), entry, entry.offset() + entry.length());
            case PUT -> addEvent(file(entry.path()), FileEventKind.PUT, entry, entry.dataLength());
            default -> add(entry);
        }
    }

    /** What of these entries is damaged. */
    public List<Damage> damage() {
        return List.copyOf(damage);
    }

    /** What these entries say of a file. */
    public OwnFile file(String path, long lsn) {
        FileEntries file = files.get(path);
        return file == null ? OwnFile.NOTHING : file.history.at(new At(lsn));
    }

    /** Whether these entries say that a directory is there; empty when they say nothing. */
    public Optional<Boolean> directory(String path, long lsn) {
        FileHistory history = directories.get(path);
        OwnFile.State state = history == null
                ? OwnFile.State.NOTHING
                : history.at(new At(lsn)).state();
        return state == OwnFile.State.NOTHING ? Optional.empty() : Optional.of(state == OwnFile.State.EXISTS);
    }

    /** Where these entries have a block. */
    public BlockVersion block(String path, long block, long lsn) {
        FileEntries file = files.get(path);
        if (file == null) {
            return BlockVersion.NONE;
        }
        At visible = new At(lsn);
        long cut = file.history.newestCutOf(block, BLOCK, visible);
        int version = file.heads.get(block);
        while (version != 0 && !visible.sees(versions.ref(version), versions.rawStamp(version))) {
            version = versions.older(version);
        }
        if (version == 0) {
            return cut == FileHistory.NO_CUT ? BlockVersion.NONE : BlockVersion.ZERO;
        }
        long ref = versions.ref(version);
        if (EntryRef.kind(ref) == ZERO || (cut != FileHistory.NO_CUT && EntryRef.isAfter(cut, ref))) {
            return BlockVersion.ZERO;
        }
        return new BlockVersion(
                EntryRef.kind(ref) == WHOLE ? BlockVersion.Source.WHOLE : BlockVersion.Source.PAGE,
                segments.get(EntryRef.segment(ref)),
                EntryRef.position(ref),
                effective(ref, versions.rawStamp(version)));
    }

    /**
     * Hands everything over; nothing may be added meanwhile.
     *
     * @param pathOrder the order of the paths
     */
    public void export(Comparator<String> pathOrder, IndexExport target) {
        Set<String> paths = new TreeSet<>(pathOrder);
        paths.addAll(files.keySet());
        paths.addAll(directories.keySet());
        for (String path : paths) {
            target.beginPath(path);
            FileEntries file = files.get(path);
            FileHistory directory = directories.get(path);
            exportEvents(file, directory, target);
            if (file != null) {
                file.heads.forEach((block, newest) -> exportVersions(block, newest, target));
            }
        }
    }

    /** As {@link #export}, of one block of one path. */
    void exportBlock(String path, long block, IndexExport target) {
        FileEntries file = files.get(path);
        if (file != null) {
            target.beginPath(path);
            exportEvents(file, null, target);
            exportVersions(block, file.heads.get(block), target);
        }
    }

    private record ExportedEvent(FileEventKind kind, long ref, long rawStamp, long size) {}

    private void exportEvents(@Nullable FileEntries file, @Nullable FileHistory directory, IndexExport target) {
        List<ExportedEvent> events = new ArrayList<>();
        FileHistory.EventConsumer collect =
                (kind, ref, stamp, size) -> events.add(new ExportedEvent(kind, ref, stamp, size));
        if (file != null) {
            file.history.forEach(false, collect);
        }
        if (directory != null) {
            directory.forEach(true, collect);
            events.sort((a, b) -> Long.compareUnsigned(a.ref, b.ref));
        }
        for (ExportedEvent event : events) {
            target.event(event.kind, effective(event.ref, event.rawStamp), sequence(event.ref), event.size);
        }
    }

    private void exportVersions(long block, int newest, IndexExport target) {
        int count = 0;
        for (int version = newest; version != 0; version = versions.older(version)) {
            count++;
        }
        int[] oldestFirst = new int[count];
        for (int version = newest; version != 0; version = versions.older(version)) {
            oldestFirst[--count] = version;
        }
        for (int version : oldestFirst) {
            long ref = versions.ref(version);
            long stamp = effective(ref, versions.rawStamp(version));
            if (EntryRef.kind(ref) == ZERO) {
                target.zero(block, stamp, sequence(ref));
            } else {
                JournalSegment segment = segments.get(EntryRef.segment(ref));
                boolean whole = EntryRef.kind(ref) == WHOLE;
                target.page(block, stamp, sequence(ref), segment, EntryRef.position(ref), whole);
            }
        }
    }

    private long sequence(long ref) {
        return sequence(segments.get(EntryRef.segment(ref)).epoch(), EntryRef.position(ref));
    }

    /** An entry's place in the order of its timeline, compared unsigned. */
    public static long sequence(int epoch, long position) {
        return ((long) epoch << SEQUENCE_POSITION_BITS) | position;
    }

    /** Every name that was ever in a directory, here or not as of an LSN; ascending. */
    public Set<String> namesEverIn(String directory) {
        return Collections.unmodifiableSet(names.getOrDefault(directory, Set.of()));
    }

    /** Every directory that was ever made or removed here. */
    public Set<String> directoriesEver() {
        return Collections.unmodifiableSet(directories.keySet());
    }

    private long effective(long ref, long rawStamp) {
        return fences.get(EntryRef.segment(ref)).effective(EntryRef.position(ref), rawStamp);
    }

    private void push(FileEntries file, long block, long ref, long stamp) {
        file.heads.set(block, versions.add(ref, stamp, file.heads.get(block)));
    }

    private void addEvent(FileEntries file, FileEventKind kind, JournalEntry entry, long size) {
        file.history.add(kind, EntryRef.of(fences.size() - 1, entry.position(), 0), entry.stamp(), size);
    }

    private void grow(FileEntries file, JournalEntry entry, long size) {
        addEvent(file, FileEventKind.GROWTH, entry, size);
    }

    private void directory(JournalEntry entry, FileEventKind kind) {
        FileHistory history = directories.get(entry.path());
        if (history == null) {
            history = new FileHistory();
            directories.put(entry.path(), history);
            nameOf(entry.path());
        }
        history.add(kind, EntryRef.of(fences.size() - 1, entry.position(), 0), entry.stamp(), 0);
    }

    private FileEntries file(String path) {
        FileEntries file = files.get(path);
        if (file == null) {
            file = new FileEntries();
            files.put(path, file);
            nameOf(path);
        }
        return file;
    }

    private void nameOf(String path) {
        int slash = path.lastIndexOf('/');
        names.computeIfAbsent(slash < 0 ? "" : path.substring(0, slash), ignored -> new TreeSet<>())
                .add(path.substring(slash + 1));
    }

    /** Everything at or below an LSN. */
    private final class At implements Visibility {
        private final long lsn;

        At(long lsn) {
            this.lsn = lsn;
        }

        @Override
        public boolean isHead() {
            return lsn == HEAD;
        }

        @Override
        public boolean sees(long ref, long rawStamp) {
            return lsn == HEAD || Long.compareUnsigned(effective(ref, rawStamp), lsn) <= 0;
        }
    }
}
