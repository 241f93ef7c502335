package dev.coppice.compute;

import dev.coppice.storage.io.DirectoryTree;
import dev.coppice.storage.io.DurableFiles;
import dev.coppice.storage.io.UntrustedDirectory;
import dev.coppice.storage.wal.ControlFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code local/} in a timeline's directory: the data directory of its compute, which is a cache of the page service.
 *
 * <p>It is kept over a clean stop and thrown away otherwise. The marker {@value #MARKER} beside it, which no compute reaches, says so: it names the epoch that
 * ended cleanly, the data directory, because a copy may have been made at any moment, and the boot of the machine, because the files were never fsynced: after the machine
 * went down they may be anything. The next epoch has another number, so a marker can never vouch for files written after it.
 *
 * @param dataDirectoryId see {@link ComputeUsers#dataDirectoryId}
 */
record LocalDirectory(Path timeline, String dataDirectoryId) {
    private static final Logger log = LoggerFactory.getLogger(LocalDirectory.class);
    private static final String MARKER = "clean";

    /** Makes Postgres start as a hot standby. */
    static final String STANDBY_SIGNAL = "standby.signal";

    /** Where {@code compute.map} has its epoch (docs/page-protocol.md, section 4). */
    private static final int MAP_EPOCH = 12;

    /** The version of the map that the interposer makes: files that another left behind cannot be used. */
    private static final int MAP_VERSION = 2;

    private static final String DISCARDED = "local.discarded-";
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
    private static final String PGDATA = "pgdata/";
    private static final String PID_FILE = PGDATA + PostmasterPidFile.NAME;
    private static final String MAP = "compute.map";
    private static final int CONTROL_FILE_SIZE = 8192;

    /** Postgres notes its arguments there, which have absolute paths in them. */
    private static final String OPTIONS_FILE = PGDATA + "postmaster.opts";

    private static final String WAL_LINK = PGDATA + "pg_wal";

    /** From the link to {@code wal/}, so that it leads there in whatever place the data directory is. */
    private static final String WAL_TARGET = "../../wal";

    /** Directories that Postgres wants and a timeline may lack, because nothing in them is journaled. */
    private static final List<String> ALWAYS = List.of(
            "base",
            "global",
            "pg_commit_ts",
            "pg_dynshmem",
            "pg_logical",
            "pg_logical/mappings",
            "pg_logical/snapshots",
            "pg_multixact",
            "pg_multixact/members",
            "pg_multixact/offsets",
            "pg_notify",
            "pg_replslot",
            "pg_serial",
            "pg_snapshots",
            "pg_stat",
            "pg_stat_tmp",
            "pg_subtrans",
            "pg_tblspc",
            "pg_twophase",
            "pg_xact");

    /** All of it. */
    Path directory() {
        return timeline.resolve("local");
    }

    /** The data directory of Postgres. */
    Path pgdata() {
        return directory().resolve("pgdata");
    }

    /** The interposer's shared memory. */
    Path map() {
        return directory().resolve(MAP);
    }

    /** Whether the local files are those that an epoch left behind cleanly, and still the user's. */
    boolean isWarm(long epoch, ComputeUser user) throws IOException {
        Optional<UntrustedDirectory> local = UntrustedDirectory.openIfThere(directory());
        if (local.isEmpty()) {
            return false;
        }
        try (UntrustedDirectory files = local.get()) {
            return files.owner() == user.uid()
                    && Files.readString(timeline.resolve(MARKER)).equals(marker(epoch));
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** When the epoch ended that left these files behind; empty when they are in use, or of no use. */
    Optional<Instant> suspendedAt() throws IOException {
        try {
            return Optional.of(
                    Files.getLastModifiedTime(timeline.resolve(MARKER)).toInstant());
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /** What all of it takes on disk, in bytes; 0 when there is nothing. */
    long bytes() throws IOException {
        return DirectoryTree.allocatedBelow(directory());
    }

    /** Whether a postmaster of the epoch came as far as its shared memory: otherwise the layout may be half made. */
    boolean ranIn(long epoch) throws IOException {
        try (UntrustedDirectory local = UntrustedDirectory.open(directory())) {
            byte[] head = local.head(MAP, MAP_EPOCH + Integer.BYTES);
            return head.length == MAP_EPOCH + Integer.BYTES
                    && ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getInt(MAP_EPOCH) == epoch;
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** What the postmaster says of itself; empty when there is nothing yet. */
    Optional<PostmasterPidFile> postmaster() throws IOException {
        try (UntrustedDirectory local = UntrustedDirectory.open(directory())) {
            return PostmasterPidFile.parse(
                    new String(local.head(PID_FILE, PostmasterPidFile.SIZE_MAX), StandardCharsets.UTF_8));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /** Whether a postmaster left its pid file, as one does that was killed. */
    boolean hasPidFile() throws IOException {
        try (UntrustedDirectory local = UntrustedDirectory.open(directory())) {
            return local.look(PID_FILE).isPresent();
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** Postgres's control file as it is here. */
    byte[] controlFile() throws IOException {
        try (UntrustedDirectory local = UntrustedDirectory.open(directory())) {
            return local.head(PGDATA + ControlFile.PATH, CONTROL_FILE_SIZE);
        }
    }

    /** Notes that an epoch ended cleanly, so that its files may be used in the next. */
    void markClean(long epoch) throws IOException {
        try (UntrustedDirectory local = UntrustedDirectory.open(directory())) {
            local.delete(OPTIONS_FILE);
        }
        Path making = timeline.resolve(MARKER + "~");
        Files.writeString(making, marker(epoch));
        Files.move(making, timeline.resolve(MARKER), StandardCopyOption.ATOMIC_MOVE);
    }

    /** Makes the data directory ready for Postgres: directories, configuration, the way to the WAL. */
    void layOut(ComputeUser user, Collection<String> directories, Map<String, String> files) throws IOException {
        Files.deleteIfExists(timeline.resolve(MARKER));
        boolean fresh = !Files.isDirectory(directory(), LinkOption.NOFOLLOW_LINKS);
        if (fresh) {
            // This process's until it is whole.
            DurableFiles.createPrivateDirectory(directory());
        }
        try (UntrustedDirectory local = UntrustedDirectory.open(directory())) {
            if (fresh) {
                makeDirectories(local, user, directories);
            }
            local.symbolicLink(WAL_LINK, WAL_TARGET);
            for (String old : List.of(PID_FILE, OPTIONS_FILE, PGDATA + STANDBY_SIGNAL)) {
                local.delete(old);
            }
            for (Map.Entry<String, String> file : files.entrySet()) {
                local.replace(
                        PGDATA + file.getKey(),
                        file.getValue().getBytes(StandardCharsets.UTF_8),
                        user.uid(),
                        user.gid());
            }
            local.giveTo(user.uid(), user.gid());
        }
    }

    private static void makeDirectories(UntrustedDirectory local, ComputeUser user, Collection<String> directories)
            throws IOException {
        local.makeDirectory("pgdata", user.uid(), user.gid());
        // In order, so that parents come before what is in them.
        Set<String> all = new TreeSet<>(ALWAYS);
        all.addAll(directories);
        for (String name : all) {
            if (!name.isEmpty() && !name.equals("pg_wal") && !name.startsWith("pg_wal/")) {
                local.makeDirectory(PGDATA + name, user.uid(), user.gid());
            }
        }
    }

    /**
     * Takes the local files out of the way; they are deleted in the background. Only when no process of the compute is
     * left.
     */
    void discard() throws IOException {
        Files.deleteIfExists(timeline.resolve(MARKER));
        if (Files.exists(directory(), LinkOption.NOFOLLOW_LINKS)) {
            Files.move(directory(), timeline.resolve(DISCARDED + Long.toHexString(System.nanoTime())));
        }
        try (var leftovers = Files.newDirectoryStream(timeline, DISCARDED + "*")) {
            for (Path leftover : leftovers) {
                Thread.ofVirtual().name("discard " + leftover).start(() -> delete(leftover));
            }
        }
    }

    private static void delete(Path leftover) {
        try {
            DurableFiles.deleteRecursively(leftover);
        } catch (IOException e) {
            log.warn("Cannot delete {}; the next discard tries again", leftover, e);
        }
    }

    private String marker(long epoch) throws IOException {
        return "epoch " + epoch + "\nboot " + Files.readString(BOOT_ID).strip() + "\nmap " + MAP_VERSION
                + "\ndirectory " + dataDirectoryId + "\n";
    }
}
