package dev.coppice.compute;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.sandbox.Sandbox;
import dev.coppice.compute.sandbox.SandboxPolicy;
import dev.coppice.storage.PageService;
import dev.coppice.storage.Timeline;
import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The database cluster that every project begins with: made once by {@code initdb}, then the root timeline {@value #NAME}.
 *
 * <p>A marker file in the timeline's directory says that the import is whole; it is durable before anybody branches.
 * Without it the timeline is what a crash left, and is made again.
 */
public final class TemplateCluster {
    /** What {@link ComputeUsers#named} knows whom initdb runs as by. */
    public static final String USER = "template";

    private static final String NAME = "template";
    private static final String MARKER = "template.complete";
    private static final int FIRST_VERSION_WITH_BUILTIN_LOCALE = 17;
    private static final int FIRST_VERSION_WITH_CHECKSUMS_ON = 18;
    private static final long INITDB_MAX_SECONDS = 300;
    private static final Logger log = LoggerFactory.getLogger(TemplateCluster.class);

    private TemplateCluster() {}

    /**
     * The template's timeline, made now if need be.
     *
     * @param interposer lets initdb run as a user without a name
     * @param scratch a directory for the cluster while it is being made; within reach of the computes' user
     * @throws ComputeException with the words of {@code initdb}, when it fails; when another major version made the template
     */
    public static Timeline prepare(
            PageService pages,
            PostgresBinaries binaries,
            Path interposer,
            ComputeUser user,
            Sandbox sandbox,
            Path scratch) {
        TimelineId id = new TimelineId(NAME);
        try {
            if (pages.exists(id)) {
                Timeline existing = pages.timeline(id);
                if (Files.exists(existing.layout().directory().resolve(MARKER))) {
                    requireVersion(existing, binaries);
                    return existing;
                }
                log.info("The template was not finished; making it again");
                pages.delete(id);
            }
            return make(pages, binaries, interposer, user, sandbox, scratch.toAbsolutePath(), id);
        } catch (IOException e) {
            throw new ComputeException("cannot make the template cluster", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ComputeException("interrupted while making the template cluster", e);
        }
    }

    /** Every branch descends from the template, so another major version could not open any of them. */
    private static void requireVersion(Timeline template, PostgresBinaries binaries) {
        String version = template.readFile("PG_VERSION")
                .map(text -> new String(text, StandardCharsets.US_ASCII).strip())
                .orElse("unknown");
        if (!version.equals(Integer.toString(binaries.majorVersion()))) {
            throw new ComputeException("this data directory was made by Postgres " + version + ", and "
                    + binaries.postgres() + " is " + binaries.majorVersion() + ": point postgres.bin at a Postgres "
                    + version + ", or use another data directory");
        }
    }

    private static Timeline make(
            PageService pages,
            PostgresBinaries binaries,
            Path interposer,
            ComputeUser user,
            Sandbox sandbox,
            Path scratch,
            TimelineId id)
            throws IOException, InterruptedException {
        long start = System.nanoTime();
        DurableFiles.deleteRecursively(scratch);
        try {
            user.privateDirectory(scratch);
            user.requireReach(scratch);
            Path cluster = scratch.resolve("pgdata");
            initdb(binaries, interposer, user, sandbox, scratch, cluster);
            long made = System.nanoTime();
            Timeline timeline = pages.createRoot(id);
            timeline.importDirectory(cluster);
            complete(timeline.layout().directory());
            log.info(
                    "Made the template cluster in {} ms, of which initdb {} ms",
                    TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start),
                    TimeUnit.NANOSECONDS.toMillis(made - start));
            return timeline;
        } finally {
            DurableFiles.deleteRecursively(scratch);
        }
    }

    private static void initdb(
            PostgresBinaries binaries, Path interposer, ComputeUser user, Sandbox sandbox, Path scratch, Path cluster)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                binaries.initdb().toString(),
                "-D",
                cluster.toString(),
                "-U",
                PostgresConfiguration.ADMIN_ROLE,
                "--encoding=UTF8",
                "--auth-local=peer",
                "--auth-host=reject",
                // The import is what makes it durable.
                "--no-sync",
                "--no-instructions"));
        if (binaries.majorVersion() >= FIRST_VERSION_WITH_BUILTIN_LOCALE) {
            // The same order of text on every machine, whatever its C library.
            command.addAll(List.of("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"));
        } else {
            command.add("--locale=C");
        }
        if (binaries.majorVersion() >= FIRST_VERSION_WITH_CHECKSUMS_ON) {
            // The journal has checksums of its own; these would cost a WAL image per hint bit.
            command.add("--no-data-checksums");
        }
        Path output = scratch.resolve("initdb.log");
        ProcessBuilder builder = new ProcessBuilder(sandbox.ownCommand(
                        user,
                        SandboxPolicy.of(List.of(binaries.installation(), interposer.toAbsolutePath()), scratch),
                        Map.of(
                                "PATH",
                                "/usr/bin:/bin",
                                "LC_ALL",
                                "C",
                                "TZ",
                                "UTC",
                                "TMPDIR",
                                scratch.toString(),
                                "LD_PRELOAD",
                                interposer.toAbsolutePath().toString()),
                        command))
                .directory(scratch.toFile())
                .redirectOutput(output.toFile())
                .redirectErrorStream(true);
        builder.environment().clear();
        Process process = builder.start();
        process.getOutputStream().close();
        if (!process.waitFor(INITDB_MAX_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new ComputeException("initdb did not end within " + INITDB_MAX_SECONDS + " s");
        }
        if (process.exitValue() != 0) {
            throw new ComputeException("initdb failed: "
                    + Files.readString(output, StandardCharsets.UTF_8).strip());
        }
    }

    private static void complete(Path directory) throws IOException {
        try (FileChannel marker =
                FileChannel.open(directory.resolve(MARKER), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            marker.force(true);
        }
        try (FileChannel parent = FileChannel.open(directory, StandardOpenOption.READ)) {
            parent.force(true);
        }
    }
}
