package dev.coppice.storage.importing;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.file.DirectoryEntry;
import dev.coppice.storage.file.FileClass;
import dev.coppice.storage.file.FileKind;
import dev.coppice.storage.file.PageConsumer;
import dev.coppice.storage.file.TimelineFiles;
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

    private final Source source;
    private final Selection selection;
    private final ControlFile control;
    private final long end;

    /**
     * What to copy from: all of it as it is now, read at the head.
     *
     * @param running whether a compute has not ended its epoch there
     * @param end of its WAL; unsigned
     */
    public record Source(TimelineId id, TimelineFiles files, WalStore wal, long end, boolean running) {}

    /**
     * What to copy.
     *
     * @param wanted says of a path, a file's or a directory's, whether it is copied
     * @param mustBeEmpty files that are copied and must have no bytes
     */
    public record Selection(Predicate<String> wanted, Set<String> mustBeEmpty) {}

    public TimelineImport(Source source, Selection selection) {
        this.source = source;
        this.selection = selection;
        this.control = source.files()
                .readFile(ControlFile.PATH, TimelineFiles.HEAD)
                .map(bytes -> ControlFile.parse(bytes, source.id()))
                .orElseThrow(() -> new StorageException("timeline " + source.id() + " has no " + ControlFile.PATH));
        if (source.running() || control.state() != ControlFile.SHUT_DOWN) {
            throw new StorageException(
                    "timeline " + source.id() + " was not shut down cleanly (state " + control.state() + ")");
        }
        this.end = source.end();
    }

    /** Where recovery of the copy begins: at the record of the shutdown. */
    public long redo() {
        return control.redo();
    }

    /** Copies the segment with the record of the shutdown, durably; it must hold nothing that tells of data. */
    public void copyWal(Path target) throws IOException {
        WalStore store = source.wal();
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
    public void run(ImportWriter writer) {
        List<String> directories = new ArrayList<>(List.of(""));
        for (String directory : source.files().directories(TimelineFiles.HEAD)) {
            if (FileClass.of(directory) != FileClass.WAL && selection.wanted().test(directory)) {
                writer.directory(directory);
                directories.add(directory);
            }
        }
        for (String directory : directories) {
            for (DirectoryEntry entry :
                    source.files().list(directory, TimelineFiles.HEAD).orElse(List.of())) {
                String path = directory.isEmpty() ? entry.name() : directory + '/' + entry.name();
                if (entry.kind() == FileKind.FILE && selection.wanted().test(path)) {
                    copy(path, writer);
                }
            }
        }
        writer.flush();
    }

    private void copy(String path, ImportWriter writer) {
        if (selection.mustBeEmpty().contains(path)
                && source.files().stat(path, TimelineFiles.HEAD).size() != 0) {
            throw new StorageException("timeline " + source.id() + ": " + path + " should be empty and has "
                    + source.files().stat(path, TimelineFiles.HEAD).size() + " bytes");
        }
        switch (FileClass.of(path)) {
            case PAGED -> copyPages(path, writer);
            case WHOLE ->
                source.files().readFile(path, TimelineFiles.HEAD).ifPresent(content -> writer.whole(path, content));
            case WAL, LOCAL -> {
                // WAL is copied apart; the rest is made anew by each compute.
            }
        }
    }

    private void copyPages(String path, ImportWriter writer) {
        writer.create(path);
        long blocks = source.files().stat(path, TimelineFiles.HEAD).size() / TimelineFiles.BLOCK_SIZE;
        for (long first = 0; first < blocks; first += RUN) {
            int count = (int) Math.min(RUN, blocks - first);
            source.files().readPages(path, first, count, TimelineFiles.HEAD, new PageConsumer() {
                @Override
                public void zero(long block) {
                    writer.extend(path, (block + 1) * TimelineFiles.BLOCK_SIZE);
                }

                @Override
                public void page(long block, long stamp, ByteBuffer page) {
                    writer.page(path, block * TimelineFiles.BLOCK_SIZE, page);
                }
            });
        }
    }
}
