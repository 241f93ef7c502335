package dev.coppice.storage;

import dev.coppice.storage.index.BlockVersion;
import dev.coppice.storage.index.EntryRef;
import dev.coppice.storage.index.IndexedJournal;
import dev.coppice.storage.index.OwnFile;
import dev.coppice.storage.index.TimelineIndex;
import dev.coppice.storage.io.SpanBuffers;
import dev.coppice.storage.journal.JournalSegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Files of a timeline as of an LSN, along the chain: its own entries first, and where they say nothing the parent's as of
 * the ancestor LSN. Thread-safe.
 *
 * <p>Where a block is comes from the indexes, under their locks; the bytes are read outside, and their checksums verified
 * every time.
 */
final class FileReader {
    private static final int BLOCK = JournalSegment.BLOCK_SIZE;

    /** The most bytes read from a journal at once. */
    private static final int MAX_SPAN = 2 << 20;

    /** Bytes of other entries between two pages that are read along rather than read around. */
    private static final int MAX_GAP = 64 << 10;

    private static final SpanBuffers SPANS = new SpanBuffers(MAX_SPAN);

    /** What a new branch begins without: replication slots hold back the parent's WAL, not the branch's. */
    private static final String NOT_INHERITED = "pg_replslot";

    private final IndexedJournal journal;
    private final @Nullable FileReader parent;
    private final long ancestorLsn;

    /** @param parent reads what lies below {@code ancestorLsn}; null for a root */
    FileReader(IndexedJournal journal, @Nullable FileReader parent, long ancestorLsn) {
        this.journal = journal;
        this.parent = parent;
        this.ancestorLsn = ancestorLsn;
    }

    FileStatus stat(String path, long lsn) {
        if (path.isEmpty()) {
            return FileStatus.DIRECTORY;
        }
        return journal.ask(index -> stat(index, path, lsn));
    }

    /** A file's status and where its blocks are, all as of one moment. */
    private static final class Located {
        final FileReader[] owners;
        final @Nullable BlockVersion[] versions;
        final FileStatus status;

        Located(FileStatus status, int count) {
            this.status = status;
            this.owners = new FileReader[count];
            this.versions = new BlockVersion[count];
        }
    }

    /**
     * Delivers the blocks.
     *
     * @return false, and nothing delivered, when there is no such file
     */
    boolean readPages(String path, long firstBlock, int count, long lsn, PageConsumer consumer) {
        Located located = journal.ask(index -> {
            FileStatus status = stat(index, path, lsn);
            Located answer = new Located(status, status.kind() == FileKind.FILE ? count : 0);
            locate(index, path, firstBlock, lsn, answer);
            return answer;
        });
        if (located.status.kind() != FileKind.FILE) {
            return false;
        }
        deliver(located, path, firstBlock, consumer);
        return true;
    }

    Optional<byte[]> readFile(String path, long lsn) {
        Located located = journal.ask(index -> {
            FileStatus status = stat(index, path, lsn);
            long blocks = (status.size() + BLOCK - 1) / BLOCK;
            if (status.size() > Integer.MAX_VALUE - BLOCK) {
                throw new StorageException("\"" + path + "\" is too large to read whole: " + status.size() + " bytes");
            }
            Located answer = new Located(status, (int) blocks);
            locate(index, path, 0, lsn, answer);
            return answer;
        });
        if (located.status.kind() != FileKind.FILE) {
            return Optional.empty();
        }
        byte[] content = new byte[(int) located.status.size()];
        deliver(located, path, 0, new PageConsumer() {
            @Override
            public void zero(long block) {}

            @Override
            public void page(long block, long stamp, ByteBuffer page) {
                int at = (int) (block * BLOCK);
                page.get(content, at, Math.min(BLOCK, content.length - at));
            }
        });
        return Optional.of(content);
    }

    Optional<List<DirectoryEntry>> list(String path, long lsn) {
        if (stat(path, lsn).kind() != FileKind.DIRECTORY) {
            return Optional.empty();
        }
        Map<String, FileKind> names = new TreeMap<>();
        collectNames(path, lsn, names);
        List<DirectoryEntry> entries = new ArrayList<>(names.size());
        names.forEach((name, kind) -> entries.add(new DirectoryEntry(name, kind)));
        return Optional.of(entries);
    }

    /** Every directory but the data directory itself; ascending, so parents come first. */
    List<String> directories(long lsn) {
        Set<String> found = new TreeSet<>();
        collectDirectories(lsn, found);
        return List.copyOf(found);
    }

    private long inParent(long lsn) {
        return Long.compareUnsigned(lsn, ancestorLsn) < 0 ? lsn : ancestorLsn;
    }

    private static boolean isInherited(String path) {
        return !path.startsWith(NOT_INHERITED + "/");
    }

    private FileStatus stat(TimelineIndex index, String path, long lsn) {
        OwnFile own = index.file(path, lsn);
        if (own.state() == OwnFile.State.EXISTS) {
            return FileStatus.file(own.size());
        }
        Optional<Boolean> directory = index.directory(path, lsn);
        if (directory.isPresent() && directory.get()) {
            return FileStatus.DIRECTORY;
        }
        boolean says = own.state() == OwnFile.State.ABSENT || directory.isPresent();
        if (own.state() != OwnFile.State.GROWN && (says || parent == null || !isInherited(path))) {
            return FileStatus.ABSENT;
        }
        FileStatus inherited =
                parent == null || !isInherited(path) ? FileStatus.ABSENT : parent.stat(path, inParent(lsn));
        return own.state() == OwnFile.State.GROWN ? FileStatus.file(Math.max(own.size(), inherited.size())) : inherited;
    }

    private void locate(TimelineIndex index, String path, long firstBlock, long lsn, Located into) {
        boolean open = false;
        for (int i = 0; i < into.versions.length; i++) {
            if (into.versions[i] != null) {
                continue;
            }
            BlockVersion version = index.block(path, firstBlock + i, lsn);
            if (version.source() == BlockVersion.Source.PARENT) {
                open = true;
            } else {
                into.versions[i] = version;
                into.owners[i] = this;
            }
        }
        if (open && parent != null && isInherited(path)) {
            FileReader above = parent;
            above.journal.ask(parentIndex -> {
                above.locate(parentIndex, path, firstBlock, inParent(lsn), into);
                return true;
            });
        }
    }

    private void deliver(Located located, String path, long firstBlock, PageConsumer consumer) {
        int entrySize = JournalSegment.maxPageEntrySize(path);
        BlockVersion wholeVersion = null;
        FileReader wholeOwner = null;
        ByteBuffer whole = ByteBuffer.allocate(0);
        int i = 0;
        while (i < located.versions.length) {
            BlockVersion version = located.versions[i];
            if (version == null || version.source() == BlockVersion.Source.ZERO) {
                consumer.zero(firstBlock + i);
                i++;
            } else if (version.source() == BlockVersion.Source.WHOLE) {
                if (wholeVersion == null || wholeVersion.ref() != version.ref() || wholeOwner != located.owners[i]) {
                    wholeVersion = version;
                    wholeOwner = located.owners[i];
                    whole = wholeOwner
                            .journal
                            .segmentOf(version.ref())
                            .readData(EntryRef.position(version.ref()), path);
                }
                long block = firstBlock + i;
                int from = (int) (block * BLOCK);
                ByteBuffer page = whole.slice(from, Math.min(BLOCK, whole.limit() - from));
                consumer.page(block, version.stamp(), padded(page));
                i++;
            } else {
                int end = endOfSpan(located, i, entrySize);
                deliverSpan(located, i, end, path, firstBlock, entrySize, consumer);
                i = end;
            }
        }
    }

    /** Pages that lie close behind each other in one segment are read together; they often do after a bulk load. */
    private static int endOfSpan(Located located, int first, int entrySize) {
        long ref = reference(located, first);
        long start = EntryRef.position(ref);
        long last = start;
        int end = first + 1;
        while (end < located.versions.length) {
            BlockVersion next = located.versions[end];
            if (next == null
                    || next.source() != BlockVersion.Source.PAGE
                    || located.owners[end] != located.owners[first]
                    || EntryRef.segment(next.ref()) != EntryRef.segment(ref)) {
                break;
            }
            long position = EntryRef.position(next.ref());
            if (position <= last || position > last + entrySize + MAX_GAP || position + entrySize > start + MAX_SPAN) {
                break;
            }
            last = position;
            end++;
        }
        return end;
    }

    private static long reference(Located located, int i) {
        BlockVersion version = located.versions[i];
        if (version == null) {
            throw new IllegalStateException("block without a version");
        }
        return version.ref();
    }

    private static void deliverSpan(
            Located located, int first, int end, String path, long firstBlock, int entrySize, PageConsumer consumer) {
        JournalSegment segment = located.owners[first].journal.segmentOf(reference(located, first));
        long start = EntryRef.position(reference(located, first));
        long last = EntryRef.position(reference(located, end - 1));
        ByteBuffer span = SPANS.borrow();
        try {
            segment.readSpan(start, (int) (last - start) + entrySize, span);
            for (int i = first; i < end; i++) {
                BlockVersion version = located.versions[i];
                if (version != null) {
                    long position = EntryRef.position(version.ref());
                    ByteBuffer page = segment.verifiedData(span, (int) (position - start), position, path);
                    consumer.page(firstBlock + i, version.stamp(), padded(page));
                }
            }
        } finally {
            SPANS.release(span);
        }
    }

    private static ByteBuffer padded(ByteBuffer page) {
        return page.remaining() == BLOCK
                ? page
                : ByteBuffer.allocate(BLOCK).put(page).clear();
    }

    private void collectNames(String path, long lsn, Map<String, FileKind> names) {
        if (parent != null && isInherited(path + "/")) {
            parent.collectNames(path, inParent(lsn), names);
        }
        journal.ask(index -> {
            for (String name : index.namesEverIn(path)) {
                String child = path.isEmpty() ? name : path + "/" + name;
                OwnFile.State file = index.file(child, lsn).state();
                Optional<Boolean> directory = index.directory(child, lsn);
                if (file == OwnFile.State.EXISTS || file == OwnFile.State.GROWN) {
                    names.put(name, FileKind.FILE);
                } else if (directory.isPresent() && directory.get()) {
                    names.put(name, FileKind.DIRECTORY);
                } else if (file == OwnFile.State.ABSENT || directory.isPresent()) {
                    names.remove(name);
                }
            }
            return true;
        });
    }

    private void collectDirectories(long lsn, Set<String> found) {
        if (parent != null) {
            parent.collectDirectories(inParent(lsn), found);
            found.removeIf(path -> !isInherited(path));
        }
        journal.ask(index -> {
            for (String path : index.directoriesEver()) {
                index.directory(path, lsn).ifPresent(there -> {
                    if (there) {
                        found.add(path);
                    } else {
                        found.remove(path);
                    }
                });
            }
            return true;
        });
    }
}
