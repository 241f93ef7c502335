package dev.coppice.storage;

import dev.coppice.common.Lsn;
import dev.coppice.storage.wal.ControlFile;
import dev.coppice.storage.wal.WalFormat;
import dev.coppice.storage.wal.WalLayout;
import dev.coppice.storage.wal.WalScanner;
import dev.coppice.storage.wal.WalStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** Copies the files of a stopped timeline, as far as they are wanted, into a journal. */
public final class TimelineImport {
    /** Blocks read at once. */
    private static final int RUN = 64;

    private static final int RM_XLOG = 0;
    private static final int RM_XACT = 1;
    private static final int RM_STANDBY = 8;
    private static final int RM_HEAP2 = 9;
    private static final int XLOG_FPI_FOR_HINT = 0xA0;
    private static final int XLOG_FPI = 0xB0;
    private static final int HEAP2_OPERATION = 0x70;
    private static final int HEAP2_VISIBLE = 0x40;

    private final Timeline source;
    private final Selection selection;
    private final ControlFile control;
    private final long end;

    /**
     * What to copy.
     *
     * @param wanted says of a path, a file's or a directory's, whether it is copied
     * @param mustBeEmpty files that are copied and must have no bytes
     */
    public record Selection(Predicate<String> wanted, Set<String> mustBeEmpty) {}

    TimelineImport(Timeline source, Selection selection) {
        this.source = source;
        this.selection = selection;
        this.control = source.readFile(ControlFile.PATH)
                .map(bytes -> ControlFile.parse(bytes, source.id()))
                .orElseThrow(() -> new StorageException("timeline " + source.id() + " has no " + ControlFile.PATH));
        if (source.epochOpen() || control.state() != ControlFile.SHUT_DOWN) {
            throw new StorageException(
                    "timeline " + source.id() + " was not shut down cleanly (state " + control.state() + ")");
        }
        this.end = source.endOfWal().value();
    }

    /** Where recovery of the copy begins: at the record of the shutdown. */
    long redo() {
        return control.redo();
    }

    /** Copies the segment with the record of the shutdown, durably; it must hold nothing that tells of data. */
    void copyWal(Path target) throws IOException {
        WalStore store = source.wal().store();
        long segment = WalFormat.segmentStart(redo(), store.segmentSize());
        WalScanner scanner = WalScanner.atPage(store, segment, end);
        if (scanner == null || scanner.position() != segment) {
            throw new StorageException("timeline " + source.id() + ": the WAL segment of its shutdown begins within a"
                    + " record; switch to a new one before the shutdown");
        }
        while (Long.compareUnsigned(scanner.position(), end) < 0 && scanner.next()) {
            if (!tellsNothing(scanner.rmgr(), scanner.info())) {
                throw new StorageException("timeline " + source.id() + ": the WAL of its shutdown holds a record of"
                        + " resource manager " + scanner.rmgr() + " at " + new Lsn(scanner.recordStart())
                        + "; switch to a new segment before the shutdown");
            }
        }
        WalLayout.fill(target, store, redo(), end);
    }

    /** Records without the content of any page: checkpoints, ends of transactions, what is running, and pruning. */
    private static boolean tellsNothing(int manager, int info) {
        int kind = info & 0xF0;
        return switch (manager) {
            case RM_XLOG -> kind != XLOG_FPI && kind != XLOG_FPI_FOR_HINT;
            case RM_XACT, RM_STANDBY -> true;
            case RM_HEAP2 -> {
                int operation = info & HEAP2_OPERATION;
                yield operation > 0 && operation <= HEAP2_VISIBLE;
            }
            default -> false;
        };
    }

    /** Journals the files. */
    void run(ImportWriter writer) {
        List<String> directories = new ArrayList<>(List.of(""));
        for (String directory : source.directories()) {
            if (FileClass.of(directory) != FileClass.WAL && selection.wanted().test(directory)) {
                writer.directory(directory);
                directories.add(directory);
            }
        }
        for (String directory : directories) {
            for (DirectoryEntry entry : source.list(directory).orElse(List.of())) {
                String path = directory.isEmpty() ? entry.name() : directory + '/' + entry.name();
                if (entry.kind() == FileKind.FILE && selection.wanted().test(path)) {
                    copy(path, writer);
                }
            }
        }
        writer.flush();
    }

    private void copy(String path, ImportWriter writer) {
        if (selection.mustBeEmpty().contains(path) && source.stat(path).size() != 0) {
            throw new StorageException("timeline " + source.id() + ": " + path + " should be empty and has "
                    + source.stat(path).size() + " bytes");
        }
        switch (FileClass.of(path)) {
            case PAGED -> copyPages(path, writer);
            case WHOLE -> source.readFile(path).ifPresent(content -> writer.whole(path, content));
            case WAL, LOCAL -> {
                // WAL is copied apart; the rest is made anew by each compute.
            }
        }
    }

    private void copyPages(String path, ImportWriter writer) {
        writer.create(path);
        long blocks = source.stat(path).size() / Timeline.BLOCK_SIZE;
        for (long first = 0; first < blocks; first += RUN) {
            int count = (int) Math.min(RUN, blocks - first);
            source.readPages(path, first, count, new PageConsumer() {
                @Override
                public void zero(long block) {
                    writer.extend(path, (block + 1) * Timeline.BLOCK_SIZE);
                }

                @Override
                public void page(long block, long stamp, ByteBuffer page) {
                    writer.page(path, block * Timeline.BLOCK_SIZE, page);
                }
            });
        }
    }
}
