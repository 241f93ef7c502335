package dev.coppice.compute;

import dev.coppice.storage.io.DiskUse;
import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code local/} in a timeline's directory: the data directory of its compute, which is a cache of the page service.
 *
 * <p>It is kept over a clean stop and thrown away otherwise. The marker {@value #MARKER} says so: it names the epoch that
 * ended cleanly, and the boot of the machine, because the files were never fsynced: after the machine went down they may
 * be anything. The next epoch has another number, so a marker can never vouch for files written after it.
 */
record LocalDirectory(Path timeline, ComputeUser user) {
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
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rwx------");
    private static final Set<PosixFilePermission> FILE_OWNER_ONLY = PosixFilePermissions.fromString("rw-------");

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
        return directory().resolve("compute.map");
    }

    /** Whether the local files are those that an epoch left behind cleanly. */
    boolean isWarm(long epoch) throws IOException {
        try {
            return Files.readString(directory().resolve(MARKER)).equals(marker(epoch));
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** When the epoch ended that left these files behind; empty when they are in use, or of no use. */
    Optional<Instant> suspendedAt() throws IOException {
        try {
            return Optional.of(
                    Files.getLastModifiedTime(directory().resolve(MARKER)).toInstant());
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /** What all of it takes on disk, in bytes; 0 when there is nothing. */
    long bytes() throws IOException {
        if (!Files.exists(directory(), LinkOption.NOFOLLOW_LINKS)) {
            return 0;
        }
        try (Stream<Path> files = Files.walk(directory())) {
            return files.mapToLong(file -> DiskUse.of(file).bytes()).sum();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /** Whether a postmaster of the epoch came as far as its shared memory: otherwise the layout may be half made. */
    boolean ranIn(long epoch) throws IOException {
        try (InputStream in = Files.newInputStream(map())) {
            byte[] head = in.readNBytes(MAP_EPOCH + Integer.BYTES);
            return head.length == MAP_EPOCH + Integer.BYTES
                    && ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getInt(MAP_EPOCH) == epoch;
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** Notes that an epoch ended cleanly, so that its files may be used in the next. */
    void markClean(long epoch) throws IOException {
        Path making = directory().resolve(MARKER + "~");
        Files.writeString(making, marker(epoch));
        Files.move(making, directory().resolve(MARKER));
    }

    /** Makes the data directory ready for Postgres: directories, configuration, the way to the WAL. */
    void layOut(Collection<String> directories, Path wal, Map<String, String> files) throws IOException {
        Files.deleteIfExists(directory().resolve(MARKER));
        if (!Files.isDirectory(pgdata(), LinkOption.NOFOLLOW_LINKS)) {
            makeDirectory(directory());
            makeDirectory(pgdata());
            // In order, so that parents come before what is in them.
            Set<String> all = new TreeSet<>(ALWAYS);
            all.addAll(directories);
            for (String name : all) {
                if (!name.isEmpty() && !name.equals("pg_wal") && !name.startsWith("pg_wal/")) {
                    makeDirectory(pgdata().resolve(name));
                }
            }
            Path link = pgdata().resolve("pg_wal");
            Files.createSymbolicLink(link, wal);
            user.own(link);
        }
        Files.deleteIfExists(pgdata().resolve("postmaster.pid"));
        Files.deleteIfExists(pgdata().resolve(STANDBY_SIGNAL));
        for (Map.Entry<String, String> file : files.entrySet()) {
            write(pgdata().resolve(file.getKey()), file.getValue());
        }
    }

    /**
     * Takes the local files out of the way; they are deleted in the background. Only when no process of the compute is
     * left.
     */
    void discard() throws IOException {
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

    private void makeDirectory(Path path) throws IOException {
        if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectory(path, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
            user.own(path);
        }
    }

    /** Replaces a file; its old content may have been written by the compute's user. */
    private void write(Path file, String text) throws IOException {
        Files.deleteIfExists(file);
        Files.createFile(file, PosixFilePermissions.asFileAttribute(FILE_OWNER_ONLY));
        Files.writeString(file, text);
        user.own(file);
    }

    private static String marker(long epoch) throws IOException {
        return "epoch " + epoch + "\nboot " + Files.readString(BOOT_ID).strip() + "\nmap " + MAP_VERSION + "\n";
    }
}
