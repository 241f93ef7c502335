package dev.coppice.storage.timeline;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.io.DurableFiles;
import dev.coppice.storage.io.FileFacts;
import dev.coppice.storage.io.UntrustedDirectory;
import dev.coppice.storage.io.UntrustedFileException;
import dev.coppice.storage.journal.JournalSegment;
import dev.coppice.storage.layout.TimelineLayout;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives a compute's user what it works with, and nothing more. Its own are the directories of WAL. The journal's segment and the writer lock stay this process's and are
 * open to the user's group, which is its alone: it can read and write them, not exchange them, change their mode or hold this process up with a lease.
 */
final class Handover {
    private static final Logger log = LoggerFactory.getLogger(Handover.class);

    /** What of a WAL directory is worth keeping when it changes hands; the rest Postgres makes anew. */
    private static final Pattern KEPT = Pattern.compile("[0-9A-F]{24}|[0-9A-F]{8}\\.history");

    private static final int PIECE = 1 << 20;

    private final TimelineId timeline;
    private final TimelineLayout layout;

    Handover(TimelineId timeline, TimelineLayout layout) {
        this.timeline = timeline;
        this.layout = layout;
    }

    /** Makes the directories that are not there. */
    void makeDirectories() throws IOException {
        for (Path directory : List.of(layout.journal(), layout.wal(), layout.finishedWal(), layout.walArchive())) {
            DurableFiles.createPrivateDirectory(directory);
        }
    }

    /**
     * Takes back what versions before this one gave to a compute's user: the archive and the journal, and every file with another name elsewhere, which was an
     * ancestor's WAL. Does nothing after that.
     */
    void takeBack() {
        try {
            for (Path directory : List.of(layout.journal(), layout.walArchive())) {
                takeBack(directory);
            }
            breakLinks(layout.wal());
        } catch (IOException | UncheckedIOException e) {
            throw new StorageException("cannot take over the files of timeline " + timeline, e);
        }
    }

    /** @param segment the one that the compute is to append to */
    void giveTo(FileOwner owner, JournalSegment segment, WriterLock lock) throws IOException {
        for (Path directory : List.of(layout.wal(), layout.finishedWal())) {
            giveDirectory(directory, owner);
        }
        if (owner.uid() == FileOwner.ofThisProcess().uid()) {
            return;
        }
        for (Path directory : List.of(layout.directory(), layout.journal())) {
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
        }
        for (Path file : List.of(segment.file(), lock.file())) {
            DurableFiles.changeOwner(file, FileOwner.ofThisProcess().uid(), owner.gid());
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw----"));
        }
    }

    /** No process can open an ended epoch's segment any more. */
    void close(JournalSegment segment) {
        try {
            if (Files.exists(segment.file(), LinkOption.NOFOLLOW_LINKS)) {
                Files.setPosixFilePermissions(segment.file(), PosixFilePermissions.fromString("rw-------"));
            }
        } catch (IOException e) {
            throw new StorageException("cannot close " + segment.file(), e);
        }
    }

    private static void giveDirectory(Path path, FileOwner owner) throws IOException {
        try (UntrustedDirectory directory = UntrustedDirectory.open(path)) {
            if (directory.owner() == owner.uid()) {
                return;
            }
            for (String name : directory.list(each -> true)) {
                if (!KEPT.matcher(name).matches()) {
                    DurableFiles.deleteRecursively(path.resolve(name));
                    continue;
                }
                try {
                    directory.giveTo(name, owner.uid(), owner.gid());
                } catch (UntrustedFileException e) {
                    log.warn("Left behind: {}", e.getMessage());
                }
            }
            directory.giveTo(owner.uid(), owner.gid());
        }
    }

    private static void takeBack(Path path) throws IOException {
        FileOwner self = FileOwner.ofThisProcess();
        Optional<UntrustedDirectory> found = UntrustedDirectory.openIfThere(path);
        if (found.isEmpty()) {
            return;
        }
        try (UntrustedDirectory directory = found.get()) {
            if (directory.owner() == self.uid()) {
                return;
            }
            // First, so that nobody changes anything meanwhile.
            directory.giveTo(self.uid(), self.gid());
            for (String name : directory.list(each -> true)) {
                Optional<FileFacts> facts = directory.look(name);
                // Links to an ancestor's segments are what versions before made themselves.
                if (facts.isPresent()
                        && facts.get().isRegular()
                        && (facts.get().uid() == directory.owner()
                                || facts.get().uid() == self.uid())) {
                    DurableFiles.changeOwner(path.resolve(name), self.uid(), self.gid());
                } else {
                    log.warn("Removed {}, which no version of Coppice made", path.resolve(name));
                    DurableFiles.deleteRecursively(path.resolve(name));
                }
            }
        }
    }

    private static void breakLinks(Path path) throws IOException {
        FileOwner self = FileOwner.ofThisProcess();
        Optional<UntrustedDirectory> found = UntrustedDirectory.openIfThere(path);
        if (found.isEmpty()) {
            return;
        }
        try (UntrustedDirectory directory = found.get()) {
            if (directory.owner() == self.uid()) {
                return;
            }
            if (directory.list(each -> isLinked(directory, each)).isEmpty()) {
                return;
            }
            // Nobody but this process changes anything there from now on.
            directory.giveTo(self.uid(), self.gid());
            for (String name : directory.list(each -> KEPT.matcher(each).matches())) {
                if (isLinked(directory, name)) {
                    copyApart(path, directory, name);
                } else {
                    directory.giveTo(name, self.uid(), self.gid());
                }
            }
        }
    }

    private static boolean isLinked(UntrustedDirectory directory, String name) {
        try {
            return KEPT.matcher(name).matches()
                    && directory
                            .look(name)
                            .filter(FileFacts::isRegular)
                            .filter(facts -> facts.links() > 1)
                            .isPresent();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void copyApart(Path path, UntrustedDirectory directory, String name) throws IOException {
        String temporary = name + ".new";
        directory.delete(temporary);
        try (UntrustedDirectory own = UntrustedDirectory.open(path);
                FileChannel from = own.readLinked(name);
                FileChannel to = own.create(temporary)) {
            long size = from.size();
            for (long at = 0; at < size; ) {
                at += from.transferTo(at, Math.min(PIECE, size - at), to);
            }
            to.force(true);
            own.rename(temporary, name);
        }
    }
}
