package dev.coppice.compute;

import dev.coppice.storage.io.DurableFiles;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tukaani.xz.XZInputStream;

/**
 * The Postgres installation that computes run: the one in the class path, unpacked once into {@code
 * <directory>/<version>}, or an installed one.
 *
 * <p>Unpacking writes into a temporary directory beside and renames it when it is complete, so a directory with the final
 * name is always whole, also when several processes try at once.
 *
 * @param bin the directory with {@code postgres} and {@code initdb}
 */
public record PostgresBinaries(Path bin, int majorVersion) {
    private static final Logger log = LoggerFactory.getLogger(PostgresBinaries.class);
    private static final int MIN_MAJOR_VERSION = 14;
    private static final int BUFFER_BYTES = 1 << 16;
    private static final long VERSION_TIMEOUT_SECONDS = 10;

    /**
     * Makes a Postgres installation usable.
     *
     * @param directory where the one in the class path is unpacked; must be within reach of the compute user
     * @param installed the {@code bin} directory of an installed server (configuration key {@code postgres.bin})
     */
    public static PostgresBinaries prepare(Path directory, Optional<Path> installed) {
        if (installed.isPresent()) {
            return installed(installed.get());
        }
        String version = bundledVersion();
        Path target = directory.resolve(version);
        Path bin = target.resolve("bin");
        if (!Files.isExecutable(bin.resolve("postgres"))) {
            long start = System.nanoTime();
            try {
                unpack(target);
            } catch (IOException e) {
                throw new ComputeException("cannot unpack Postgres " + version + " into " + target, e);
            }
            log.info(
                    "Unpacked Postgres {} in {} ms", version, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start));
        }
        return new PostgresBinaries(bin, Integer.parseInt(version.substring(0, version.indexOf('.'))));
    }

    /** The server program. */
    public Path postgres() {
        return bin.resolve("postgres");
    }

    /** What has to be readable to run them: the directory around {@code bin}, which has libraries and what is shared too. */
    public Path installation() {
        return installation(bin);
    }

    /** As {@link #installation()}, of a directory with programs. */
    public static Path installation(Path bin) {
        Path around = bin.toAbsolutePath().normalize().getParent();
        return around == null || around.getParent() == null ? bin : around;
    }

    /** The program that makes a database cluster. */
    public Path initdb() {
        return bin.resolve("initdb");
    }

    private static PostgresBinaries installed(Path bin) {
        for (String program : new String[] {"postgres", "initdb"}) {
            if (!Files.isExecutable(bin.resolve(program))) {
                throw new ComputeException("postgres.bin points at " + bin + ", where there is no program " + program);
            }
        }
        int version = PostgresConfiguration.majorVersion(versionText(bin.resolve("postgres")));
        if (version < MIN_MAJOR_VERSION) {
            throw new ComputeException("postgres.bin points at Postgres " + version + " in " + bin + "; Coppice needs "
                    + MIN_MAJOR_VERSION + " or newer");
        }
        return new PostgresBinaries(bin.toAbsolutePath(), version);
    }

    private static String versionText(Path postgres) {
        try {
            Process process = new ProcessBuilder(postgres.toString(), "--version")
                    .redirectErrorStream(true)
                    .start();
            process.getOutputStream().close();
            String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(VERSION_TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new ComputeException(postgres + " --version does not answer");
            }
            return text;
        } catch (IOException e) {
            throw new ComputeException("cannot run " + postgres, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ComputeException("interrupted while asking " + postgres + " for its version", e);
        }
    }

    private static String bundledVersion() {
        Properties properties = new Properties();
        try (InputStream in = PostgresBinaries.class.getResourceAsStream("postgres-binaries.properties")) {
            if (in == null) {
                throw new ComputeException("the build lacks postgres-binaries.properties");
            }
            properties.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties.getProperty("version");
    }

    private static void unpack(Path target) throws IOException {
        Path parent = Objects.requireNonNull(target.toAbsolutePath().getParent());
        Files.createDirectories(parent);
        Path temporary = Files.createTempDirectory(parent, "unpacking-");
        try {
            try (InputStream archive = openBundled();
                    TarArchiveInputStream tar = new TarArchiveInputStream(
                            new XZInputStream(new BufferedInputStream(archive, BUFFER_BYTES)))) {
                for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                    unpackEntry(tar, entry, temporary);
                }
            }
            // createTempDirectory makes it 0700; the compute user has to come in.
            Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwxr-xr-x"));
            // Else a power cut leaves programs of zero bytes, which nobody would unpack again.
            DurableFiles.syncTree(temporary);
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            DurableFiles.syncDirectory(parent);
        } catch (IOException e) {
            DurableFiles.deleteRecursively(temporary);
            // Another process may have been faster, which is as good.
            if (!Files.isExecutable(target.resolve("bin").resolve("postgres"))) {
                throw e;
            }
        }
    }

    private static InputStream openBundled() {
        // Names of the archives inside the zonky jars.
        String archive =
                "/postgres-linux-" + (System.getProperty("os.arch").equals("aarch64") ? "arm_64" : "x86_64") + ".txz";
        InputStream in = PostgresBinaries.class.getResourceAsStream(archive);
        if (in == null) {
            throw new ComputeException(
                    "this build brings no Postgres for " + System.getProperty("os.arch") + ": install PostgreSQL "
                            + MIN_MAJOR_VERSION + " or newer and set postgres.bin to its bin directory");
        }
        return in;
    }

    private static void unpackEntry(TarArchiveInputStream tar, TarArchiveEntry entry, Path directory)
            throws IOException {
        Path path = directory.resolve(entry.getName()).normalize();
        if (!path.startsWith(directory)) {
            throw new IOException("the archive has an entry outside of itself: " + entry.getName());
        }
        if (entry.isDirectory()) {
            Files.createDirectories(path);
            return;
        }
        Path parent = Objects.requireNonNull(path.getParent());
        Files.createDirectories(parent);
        if (entry.isSymbolicLink()) {
            Path linked = parent.resolve(entry.getLinkName()).normalize();
            if (!linked.startsWith(directory)) {
                throw new IOException("the archive has a link out of itself: " + entry.getName());
            }
            Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
            return;
        }
        Files.copy(tar, path);
        Files.setPosixFilePermissions(path, permissions(entry.getMode()));
    }

    /** Everybody may read; who may run it is as in the archive. */
    private static Set<PosixFilePermission> permissions(int mode) {
        Set<PosixFilePermission> permissions = EnumSet.of(
                PosixFilePermission.OWNER_READ,
                PosixFilePermission.OWNER_WRITE,
                PosixFilePermission.GROUP_READ,
                PosixFilePermission.OTHERS_READ);
        if ((mode & 0100) != 0) {
            permissions.add(PosixFilePermission.OWNER_EXECUTE);
            permissions.add(PosixFilePermission.GROUP_EXECUTE);
            permissions.add(PosixFilePermission.OTHERS_EXECUTE);
        }
        return permissions;
    }
}
