package dev.coppice.storage.timeline;

import dev.coppice.common.Lsn;
import dev.coppice.storage.fault.EpochRunningException;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.importing.DirectoryImport;
import dev.coppice.storage.importing.ImportWriter;
import dev.coppice.storage.importing.TimelineImport;
import dev.coppice.storage.index.FrozenIndex;
import dev.coppice.storage.index.IndexedJournal;
import dev.coppice.storage.index.TimelineIndex;
import dev.coppice.storage.io.DurableFiles;
import dev.coppice.storage.journal.JournalSegment;
import dev.coppice.storage.layout.TimelineLayout;
import dev.coppice.storage.layout.TimelineMetadata;
import dev.coppice.storage.read.WalHistory;
import dev.coppice.storage.wal.ControlFile;
import dev.coppice.storage.wal.WalLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Begins and ends the epochs of one timeline, and fences its journal. The lock orders these with each other. */
public final class Epochs {
    private final TimelineMetadata metadata;
    private final TimelineLayout layout;
    private final IndexedJournal journal;
    private final WalHistory wal;
    private final WriterLock writerLock;
    private final Handover handover;

    public Epochs(
            TimelineMetadata metadata,
            TimelineLayout layout,
            IndexedJournal journal,
            WalHistory wal,
            WriterLock writerLock) {
        this.metadata = metadata;
        this.layout = layout;
        this.journal = journal;
        this.wal = wal;
        this.writerLock = writerLock;
        this.handover = new Handover(metadata.id(), layout);
        handover.takeBack();
    }

    public synchronized Epoch begin(FileOwner owner) {
        refuseWhenWriting();
        endOpenEpoch();
        long end = wal.end();
        try {
            makeDirectories();
            if (journal.firstSegment() == null && metadata.ancestor() != null) {
                fillWal(end);
            }
            // One byte on: what this epoch writes must not be seen at a branch point made at the end of the last.
            JournalSegment segment = journal.begin(end + 1);
            DurableFiles.syncDirectory(layout.directory());
            handover.giveTo(owner, segment, writerLock);
            return new Epoch(segment.epoch(), segment.file(), new Lsn(segment.startMark()));
        } catch (IOException e) {
            throw new StorageException("cannot prepare timeline " + metadata.id() + " for a compute", e);
        }
    }

    public synchronized void end() {
        if (journal.isOpen()) {
            refuseWhenWriting();
            endOpenEpoch();
        }
    }

    private void endOpenEpoch() {
        if (journal.isOpen()) {
            journal.end(wal.settle());
            wal.store().collectFinished();
            JournalSegment segment = journal.lastSegment();
            if (segment != null) {
                handover.close(segment);
            }
        }
    }

    /**
     * Everything acknowledged so far belongs to the branch point that this returns. What the journal holds now depends on
     * WAL up to its end only, and what comes later must not be seen at the point: the fence says both.
     */
    public synchronized Lsn fence() {
        if (!journal.isOpen()) {
            journal.syncEnd();
            return new Lsn(wal.end());
        }
        return new Lsn(startable(fenceHere()));
    }

    /**
     * Splits the journal for a flush.
     *
     * @return null when there is nothing to flush, or while a compute is just starting: its WAL may be taken back
     */
    public synchronized @Nullable FrozenIndex freeze() {
        if (journal.isOpen()) {
            long end = wal.end();
            if (startable(end) != end) {
                return null;
            }
        }
        return wal.freeze();
    }

    private long fenceHere() {
        long offset = journal.catchUp();
        long end = wal.end();
        wal.sync(end);
        journal.fence(end, offset);
        return end;
    }

    /**
     * A compute has just started. When its start wrote WAL, the mark overshot by up to a block, and so did the stamp of the
     * control file that says "running": an image within that block would still be one that was shut down before its first
     * commits. The fence gives the entry its true place.
     */
    public synchronized void started() {
        JournalSegment segment = journal.lastSegment();
        if (segment != null && journal.isOpen() && Long.compareUnsigned(wal.end(), segment.startMark()) >= 0) {
            fenceHere();
        }
    }

    /**
     * The point from which Postgres would go on when it is given the image at {@code lsn}: that LSN, unless the image was
     * shut down cleanly before it (a compute is just starting).
     */
    public long startable(long lsn) {
        long clean = wal.cleanEnd(lsn).orElse(lsn);
        return Lsn.min(clean, lsn);
    }

    /** Journals a stopped cluster as this root's first epoch. */
    public synchronized void importDirectory(Path pgdata) {
        if (metadata.ancestor() != null || journal.firstSegment() != null) {
            throw new StorageException("timeline " + metadata.id() + " is not an empty root");
        }
        try {
            ControlFile control = ControlFile.parse(Files.readAllBytes(pgdata.resolve(ControlFile.PATH)), pgdata);
            if (control.state() != ControlFile.SHUT_DOWN) {
                throw new StorageException(pgdata + " was not shut down cleanly (state " + control.state() + ")");
            }
            makeDirectories();
            DirectoryImport.copyWal(pgdata, layout.wal());
            long end = wal.endFrom(control.redo());
            JournalSegment segment = journal.begin(end);
            new DirectoryImport(new ImportWriter(segment, end)).run(pgdata);
            journal.end(end);
            DurableFiles.syncDirectory(layout.directory());
        } catch (IOException e) {
            throw new StorageException("cannot import " + pgdata + " into timeline " + metadata.id(), e);
        }
    }

    /** Journals what is wanted of another timeline, at rest after a clean shutdown, as this root's first epoch. */
    public synchronized void importTimeline(TimelineImport.Source source, TimelineImport.Selection selection) {
        if (metadata.ancestor() != null || journal.firstSegment() != null) {
            throw new StorageException("timeline " + metadata.id() + " is not an empty root");
        }
        try {
            makeDirectories();
            TimelineImport copy = new TimelineImport(source, selection);
            copy.copyWal(layout.wal());
            long end = wal.endFrom(copy.redo());
            JournalSegment segment = journal.begin(end);
            copy.run(new ImportWriter(segment, end));
            journal.end(end);
            DurableFiles.syncDirectory(layout.directory());
        } catch (IOException e) {
            throw new StorageException("cannot import timeline " + source.id() + " into " + metadata.id(), e);
        }
    }

    private void refuseWhenWriting() {
        if (writerLock.isHeld()) {
            throw new EpochRunningException(metadata.id());
        }
    }

    private void makeDirectories() throws IOException {
        handover.makeDirectories();
        writerLock.create();
    }

    private void fillWal(long end) throws IOException {
        ControlFile control = wal.control(TimelineIndex.HEAD)
                .orElseThrow(() -> new StorageException(
                        "timeline " + metadata.id() + " cannot start: its parent has no " + ControlFile.PATH));
        WalLayout.fill(layout.wal(), wal.store(), control.redo(), end);
    }
}
