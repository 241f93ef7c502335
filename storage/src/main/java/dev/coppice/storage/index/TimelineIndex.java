package dev.coppice.storage.index;

import dev.coppice.storage.StorageException;
import dev.coppice.storage.journal.JournalEntry;
import dev.coppice.storage.journal.JournalSegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The index of one timeline's own entries. Not thread-safe: the owner lets one thread add or many read.
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

    private final List<Fences> fences = new ArrayList<>();
    private final VersionStore versions = new VersionStore();
    private final Map<String, FileEntries> files = new HashMap<>();
    private final Map<String, FileHistory> directories = new HashMap<>();
    private final Map<String, Set<String>> names = new HashMap<>();

    private static final class FileEntries {
        final FileHistory history = new FileHistory();
        final BlockHeads heads = new BlockHeads();
    }

    /**
     * Begins a segment; entries are added to the last one begun.
     *
     * @param startMark no entry of it has a lower effective stamp
     */
    public void addSegment(long startMark) {
        if (fences.size() == EntryRef.MAX_SEGMENTS) {
            throw new StorageException("a timeline cannot have more than " + EntryRef.MAX_SEGMENTS + " epochs");
        }
        fences.add(new Fences(startMark));
    }

    /** Adds the next entry of the newest segment. */
    public void add(JournalEntry entry) {
        if (entry.position() >= EntryRef.MAX_POSITION) {
            throw new StorageException("a journal segment cannot be larger than " + EntryRef.MAX_POSITION + " bytes");
        }
        int segment = fences.size() - 1;
        long position = entry.position();
        long stamp = entry.stamp();
        switch (entry.type()) {
            case PAGE -> {
                FileEntries file = file(entry.path());
                push(file, entry.offset() / BLOCK, EntryRef.of(segment, position, PAGE), stamp);
                grow(file, segment, position, stamp, entry.offset() + entry.dataLength());
            }
            case ZERO -> {
                FileEntries file = file(entry.path());
                long end = entry.offset() + entry.length();
                for (long block = entry.offset() / BLOCK; block < end / BLOCK; block++) {
                    push(file, block, EntryRef.of(segment, position, ZERO), stamp);
                }
                grow(file, segment, position, stamp, end);
            }
            case EXTEND -> grow(file(entry.path()), segment, position, stamp, entry.offset());
            case TRUNCATE -> cut(file(entry.path()), FileEventKind.TRUNCATE, entry, entry.offset());
            case CREATE -> cut(file(entry.path()), FileEventKind.CREATE, entry, 0);
            case UNLINK -> cut(file(entry.path()), FileEventKind.UNLINK, entry, 0);
            case PUT -> {
                FileEntries file = file(entry.path());
                cut(file, FileEventKind.PUT, entry, entry.dataLength());
                for (long block = 0; block * BLOCK < entry.dataLength(); block++) {
                    push(file, block, EntryRef.of(segment, position, WHOLE), stamp);
                }
            }
            case MKDIR -> directory(entry, FileEventKind.MKDIR);
            case RMDIR -> directory(entry, FileEventKind.RMDIR);
            case FENCE -> fences.get(segment).add(entry.offset(), entry.stamp());
        }
    }

    /** What this timeline's entries say of a file. */
    public OwnFile file(String path, long lsn) {
        FileEntries file = files.get(path);
        return file == null ? OwnFile.NOTHING : file.history.at(new At(lsn));
    }

    /** Whether this timeline's entries say that a directory is there; empty when they say nothing. */
    public Optional<Boolean> directory(String path, long lsn) {
        FileHistory history = directories.get(path);
        OwnFile.State state = history == null
                ? OwnFile.State.NOTHING
                : history.at(new At(lsn)).state();
        return state == OwnFile.State.NOTHING ? Optional.empty() : Optional.of(state == OwnFile.State.EXISTS);
    }

    /** Where this timeline has a block. */
    public BlockVersion block(String path, long block, long lsn) {
        FileEntries file = files.get(path);
        if (file == null) {
            return BlockVersion.PARENT;
        }
        At visible = new At(lsn);
        long cut = file.history.newestCutOf(block, BLOCK, visible);
        int version = file.heads.get(block);
        while (version != 0 && !visible.sees(versions.ref(version), versions.rawStamp(version))) {
            version = versions.older(version);
        }
        if (version == 0) {
            return cut == FileHistory.NO_CUT ? BlockVersion.PARENT : BlockVersion.ZERO;
        }
        long ref = versions.ref(version);
        if (EntryRef.kind(ref) == ZERO || (cut != FileHistory.NO_CUT && EntryRef.isAfter(cut, ref))) {
            return BlockVersion.ZERO;
        }
        BlockVersion.Source source = EntryRef.kind(ref) == WHOLE ? BlockVersion.Source.WHOLE : BlockVersion.Source.PAGE;
        return new BlockVersion(source, ref, effective(ref, versions.rawStamp(version)));
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

    private void cut(FileEntries file, FileEventKind kind, JournalEntry entry, long size) {
        file.history.add(kind, EntryRef.of(fences.size() - 1, entry.position(), 0), entry.stamp(), size);
    }

    private static void grow(FileEntries file, int segment, long position, long stamp, long size) {
        file.history.add(FileEventKind.GROWTH, EntryRef.of(segment, position, 0), stamp, size);
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
