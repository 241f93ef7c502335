package dev.coppice.storage.read;

import dev.coppice.common.Lsn;
import dev.coppice.storage.boundary.BoundaryGate;
import dev.coppice.storage.fault.BoundaryException;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.file.DirectoryEntry;
import dev.coppice.storage.file.FileKind;
import dev.coppice.storage.file.FileStatus;
import dev.coppice.storage.file.PageConsumer;
import dev.coppice.storage.file.PageView;
import dev.coppice.storage.file.TimelineFiles;
import dev.coppice.storage.history.LayerSet;
import dev.coppice.storage.history.TimelineHistory;
import dev.coppice.storage.index.Damage;
import dev.coppice.storage.index.JournalTail;
import dev.coppice.storage.index.OwnFile;
import dev.coppice.storage.journal.JournalSegment;
import dev.coppice.storage.layer.LayerReader;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Files of a timeline as of an LSN, along the chain: its journal's tail first, then its layers from the newest to the
 * oldest, and where they say nothing the parent's as of the ancestor LSN. Thread-safe.
 *
 * <p>The tail is asked under its lock, and before the layers are looked up: what a flush moves meanwhile is then seen
 * twice, not never. Bytes are read outside, and their checksums verified every time. When bytes cannot be read and a
 * flush or a compaction has replaced what held them, the read begins again.
 */
public final class FileReader implements TimelineFiles {
    private static final int BLOCK = JournalSegment.BLOCK_SIZE;

    /** What a new branch begins without: replication slots hold back the parent's WAL, not the branch's. */
    private static final String NOT_INHERITED = "pg_replslot";

    private final TimelineHistory history;
    private final @Nullable FileReader parent;
    private final long ancestorLsn;

    /** What may be seen of the parent; null for everything. */
    private final @Nullable BoundaryGate boundary;

    private final LostEntries lost;

    /** Why nothing may be read; null when it may. */
    private volatile @Nullable String broken;

    /** Why nothing of the parent may be read; null when it may. */
    private volatile @Nullable String refusal;

    /** @param parent reads what lies below {@code ancestorLsn}; null for a root */
    public FileReader(TimelineHistory history, @Nullable FileReader parent, long ancestorLsn) {
        this(history, parent, ancestorLsn, null);
    }

    /** As above, with what may be seen of the parent; null for everything. */
    public FileReader(
            TimelineHistory history, @Nullable FileReader parent, long ancestorLsn, @Nullable BoundaryGate boundary) {
        this.history = history;
        this.lost = new LostEntries(history);
        this.parent = parent;
        this.ancestorLsn = ancestorLsn;
        this.boundary = boundary;
        if (boundary != null && parent != null) {
            boundary.below(parent, parent.nearestBoundary());
        }
    }

    /** Refuses every read from now on, also those that come from below. */
    public void refuseAll(String reason) {
        broken = reason;
    }

    /** @throws BoundaryException when nothing may be read */
    public void requireWhole() {
        String reason = broken;
        if (reason != null) {
            throw new BoundaryException(reason);
        }
    }

    public void refuseParent(String reason) {
        refusal = reason;
    }

    private @Nullable BoundaryGate nearestBoundary() {
        FileReader at = this;
        while (at.boundary == null && at.parent != null) {
            at = at.parent;
        }
        return at.boundary;
    }

    /** @throws BoundaryException when nothing of the parent may be read */
    public void requireParent() {
        String reason = refusal;
        if (reason != null) {
            throw new BoundaryException(reason);
        }
    }

    @Override
    public FileStatus stat(String path, long lsn) {
        if (path.isEmpty()) {
            return FileStatus.DIRECTORY;
        }
        return retrying(() -> locate(new BlockLocations(path, 0, 0), path, lsn));
    }

    /**
     * Delivers the blocks.
     *
     * @return false, and nothing delivered, when there is no such file
     */
    @Override
    public boolean readPages(String path, long firstBlock, int count, long lsn, PageConsumer consumer) {
        Delivered delivered = new Delivered(consumer);
        return retrying(() -> {
            long first = firstBlock + delivered.blocks;
            BlockLocations locations = new BlockLocations(path, first, count - delivered.blocks);
            if (locate(locations, path, lsn).kind() == FileKind.FILE) {
                locations.deliver(delivered);
                return true;
            }
            // Gone between two tries: what is left of it is nothing.
            for (int left = delivered.blocks == 0 ? 0 : locations.count(); left > 0; left--) {
                delivered.zero(firstBlock + delivered.blocks);
            }
            return delivered.blocks > 0;
        });
    }

    /** Counts, so that a read that begins again goes on where it was. */
    private static final class Delivered implements PageConsumer {
        private final PageConsumer consumer;
        private int blocks;

        Delivered(PageConsumer consumer) {
            this.consumer = consumer;
        }

        @Override
        public void zero(long block) {
            blocks++;
            consumer.zero(block);
        }

        @Override
        public void page(long block, long stamp, ByteBuffer page) {
            blocks++;
            consumer.page(block, stamp, page);
        }
    }

    @Override
    public Optional<byte[]> readFile(String path, long lsn) {
        return retrying(() -> {
            FileStatus before = stat(path, lsn);
            while (true) {
                if (before.kind() != FileKind.FILE) {
                    return Optional.empty();
                }
                if (before.size() > Integer.MAX_VALUE - BLOCK) {
                    throw new StorageException(
                            "\"" + path + "\" is too large to read whole: " + before.size() + " bytes");
                }
                BlockLocations locations = new BlockLocations(path, 0, (int) ((before.size() + BLOCK - 1) / BLOCK));
                FileStatus status = locate(locations, path, lsn);
                if (status.equals(before)) {
                    return Optional.of(content(locations, (int) status.size()));
                }
                before = status;
            }
        });
    }

    private static byte[] content(BlockLocations locations, int size) {
        byte[] content = new byte[size];
        locations.deliver(new PageConsumer() {
            @Override
            public void zero(long block) {}

            @Override
            public void page(long block, long stamp, ByteBuffer page) {
                int at = (int) (block * BLOCK);
                page.get(content, at, Math.min(BLOCK, content.length - at));
            }
        });
        return content;
    }

    @Override
    public Optional<List<DirectoryEntry>> list(String path, long lsn) {
        if (stat(path, lsn).kind() != FileKind.DIRECTORY) {
            return Optional.empty();
        }
        Map<String, FileKind> names = retrying(() -> {
            Map<String, FileKind> collected = new TreeMap<>();
            collectNames(path, lsn, collected);
            return collected;
        });
        List<DirectoryEntry> entries = new ArrayList<>(names.size());
        names.forEach((name, kind) -> entries.add(new DirectoryEntry(name, kind)));
        return Optional.of(entries);
    }

    /** Every directory but the data directory itself; ascending, so parents come first. */
    @Override
    public List<String> directories(long lsn) {
        return retrying(() -> {
            Set<String> found = new TreeSet<>();
            collectDirectories(lsn, found);
            return List.copyOf(found);
        });
    }

    /** Whether a branch's parent has nothing at a path for it. */
    public boolean isAbsentInParent(String path) {
        requireParent();
        return parent == null
                || !isInherited(path)
                || parent.stat(path, ancestorLsn).kind() == FileKind.ABSENT;
    }

    /** The sizes of all files together. */
    public long logicalBytes(long lsn) {
        List<String> directories = new ArrayList<>(directories(lsn));
        directories.add("");
        long total = 0;
        for (String directory : directories) {
            for (DirectoryEntry entry : list(directory, lsn).orElse(List.of())) {
                if (entry.kind() == FileKind.FILE) {
                    total += stat(child(directory, entry.name()), lsn).size();
                }
            }
        }
        return total;
    }

    private <T> T retrying(Supplier<T> read) {
        while (true) {
            long before = generation();
            try {
                return read.get();
            } catch (StorageException e) {
                if (generation() == before) {
                    throw e;
                }
            }
        }
    }

    private long generation() {
        long sum = 0;
        for (FileReader at = this; at != null; at = at.parent) {
            sum += at.history.generation();
        }
        return sum;
    }

    private long inParent(long lsn) {
        return Lsn.min(lsn, ancestorLsn);
    }

    public static boolean isInherited(String path) {
        return !path.startsWith(NOT_INHERITED + "/");
    }

    /** What one source says of a path: of a file there, and of a directory there. */
    private record OwnAnswer(OwnFile file, Optional<Boolean> directory) {
        static final OwnAnswer NOTHING = new OwnAnswer(OwnFile.NOTHING, Optional.empty());

        static OwnAnswer of(JournalTail tail, String path, long lsn) {
            return new OwnAnswer(tail.file(path, lsn), tail.directory(path, lsn));
        }

        OwnAnswer over(LayerSet layers, String path, long lsn) {
            OwnFile whole = layers.file(file, path, lsn);
            // A file that is there decides alone.
            return whole.state() == OwnFile.State.EXISTS
                    ? new OwnAnswer(whole, directory)
                    : new OwnAnswer(whole, layers.directory(directory, path, lsn));
        }
    }

    /** What a timeline on the way to an ancestor says of a path, which waits for what the ancestor says. */
    private static final class Waiting {
        private final OwnAnswer own;
        private final boolean open;
        private final PageView view;
        private final boolean @Nullable [] before;

        /**
         * @param open whether the ancestor matters for what is there, not only for blocks
         * @param view how what is found further up is seen from here
         * @param before which blocks were still open here; null when the view changes nothing
         */
        Waiting(OwnAnswer own, boolean open, PageView view, boolean @Nullable [] before) {
            this.own = own;
            this.open = open;
            this.view = view;
            this.before = before;
        }
    }

    /**
     * Finds the blocks, and says what is at the path as of the same moment. Goes up the chain as far as it must, and then down
     * again; not recursively, since a chain can be longer than a stack is deep.
     */
    private FileStatus locate(BlockLocations locations, String path, long lsn) {
        Deque<Waiting> below = new ArrayDeque<>();
        FileReader at = this;
        long limit = lsn;
        FileStatus found;
        while (true) {
            OwnAnswer own = at.locateOwn(locations, path, limit);
            boolean open = isOpen(own);
            Optional<PageView> view = open || locations.isOpen() ? at.viewOfParent(path) : Optional.empty();
            FileReader next = at.parent;
            if (view.isEmpty() || next == null) {
                found = status(own, FileStatus.ABSENT);
                break;
            }
            boolean same = view.get().equals(PageView.SAME);
            below.push(new Waiting(own, open, view.get(), same ? null : locations.openBlocks()));
            limit = at.inParent(limit);
            at = next;
        }
        while (!below.isEmpty()) {
            Waiting waiting = below.pop();
            if (waiting.before != null) {
                locations.showBy(waiting.view, waiting.before);
            }
            found = status(waiting.own, waiting.open ? found : FileStatus.ABSENT);
        }
        return found;
    }

    private OwnAnswer locateOwn(BlockLocations locations, String path, long lsn) {
        requireWhole();
        List<Damage> damage = new ArrayList<>(0);
        // What a timeline below has is not read here, and not lost here.
        boolean[] open = locations.openBlocks();
        OwnAnswer inTail = history.askTail(tail -> {
            damage.addAll(tail.damage());
            for (int i = 0; i < locations.count(); i++) {
                if (locations.isOpen(i)) {
                    locations.set(i, tail.block(path, locations.block(i), lsn));
                }
            }
            return OwnAnswer.of(tail, path, lsn);
        });
        LayerSet layers = history.layers();
        damage.addAll(layers.damage());
        if (!damage.isEmpty()) {
            lost.refuse(damage, locations, open, path, lsn);
        }
        OwnAnswer own = inTail.over(layers, path, lsn);
        if (locations.isOpen()) {
            locations.locate(layers, lsn);
        }
        return own;
    }

    /** A timeline of the chain, and up to where it is seen. */
    private record Seen(FileReader reader, long lsn) {}

    /** This timeline and its ancestors, the oldest first. */
    private Deque<Seen> chain(long lsn) {
        Deque<Seen> chain = new ArrayDeque<>();
        long limit = lsn;
        for (FileReader at = this; at != null; at = at.parent) {
            chain.push(new Seen(at, limit));
            limit = at.inParent(limit);
        }
        return chain;
    }

    /** How the parent's file at a path is seen from here; empty when it is not. */
    private Optional<PageView> viewOfParent(String path) {
        if (parent == null || !isInherited(path)) {
            return Optional.empty();
        }
        requireParent();
        return boundary == null ? Optional.of(PageView.SAME) : boundary.view(path);
    }

    /** Whether the parent matters for what is at a path. */
    private static boolean isOpen(OwnAnswer own) {
        return own.file.state() == OwnFile.State.GROWN
                || (own.file.state() == OwnFile.State.NOTHING && own.directory.isEmpty());
    }

    private static FileStatus status(OwnAnswer own, FileStatus inherited) {
        if (own.file.state() == OwnFile.State.EXISTS) {
            return FileStatus.file(own.file.size());
        }
        if (own.directory.isPresent() && own.directory.get()) {
            return FileStatus.DIRECTORY;
        }
        return own.file.state() == OwnFile.State.GROWN
                ? FileStatus.file(Math.max(own.file.size(), inherited.size()))
                : inherited;
    }

    private void collectNames(String path, long lsn, Map<String, FileKind> names) {
        Deque<Seen> chain = isInherited(path + "/") ? chain(lsn) : new ArrayDeque<>(List.of(new Seen(this, lsn)));
        for (Seen at : chain) {
            if (isInherited(path + "/")) {
                at.reader.requireParent();
            }
            if (at.reader.boundary != null) {
                names.keySet()
                        .removeIf(name ->
                                at.reader.viewOfParent(child(path, name)).isEmpty());
            }
            at.reader.collectOwnNames(path, at.lsn, names);
        }
    }

    private void collectOwnNames(String path, long lsn, Map<String, FileKind> names) {
        requireWhole();
        lost.refuseNames(path, lsn);
        Map<String, OwnAnswer> own = history.askTail(tail -> {
            Map<String, OwnAnswer> answers = new HashMap<>();
            for (String name : tail.namesEverIn(path)) {
                answers.put(name, OwnAnswer.of(tail, child(path, name), lsn));
            }
            return answers;
        });
        LayerSet layers = history.layers();
        for (LayerReader layer : layers.newestFirst()) {
            layer.namesEverIn(path).forEach(name -> own.putIfAbsent(name, OwnAnswer.NOTHING));
        }
        own.forEach((name, answer) -> apply(name, answer.over(layers, child(path, name), lsn), names));
    }

    private static void apply(String name, OwnAnswer own, Map<String, FileKind> names) {
        OwnFile.State file = own.file.state();
        if (file == OwnFile.State.EXISTS || file == OwnFile.State.GROWN) {
            names.put(name, FileKind.FILE);
        } else if (own.directory.isPresent() && own.directory.get()) {
            names.put(name, FileKind.DIRECTORY);
        } else if (file == OwnFile.State.ABSENT || own.directory.isPresent()) {
            names.remove(name);
        }
    }

    private static String child(String directory, String name) {
        return directory.isEmpty() ? name : directory + "/" + name;
    }

    private void collectDirectories(long lsn, Set<String> found) {
        for (Seen at : chain(lsn)) {
            at.reader.requireParent();
            found.removeIf(path -> at.reader.viewOfParent(path).isEmpty());
            at.reader.collectOwnDirectories(at.lsn, found);
        }
    }

    private void collectOwnDirectories(long lsn, Set<String> found) {
        requireWhole();
        lost.refuseDirectories(lsn);
        Map<String, Optional<Boolean>> own = history.askTail(tail -> {
            Map<String, Optional<Boolean>> answers = new HashMap<>();
            for (String path : tail.directoriesEver()) {
                answers.put(path, tail.directory(path, lsn));
            }
            return answers;
        });
        LayerSet layers = history.layers();
        for (LayerReader layer : layers.newestFirst()) {
            layer.directoriesEver().forEach(path -> own.putIfAbsent(path, Optional.empty()));
        }
        own.forEach((path, answer) -> layers.directory(answer, path, lsn).ifPresent(there -> {
            if (there) {
                found.add(path);
            } else {
                found.remove(path);
            }
        }));
    }
}
