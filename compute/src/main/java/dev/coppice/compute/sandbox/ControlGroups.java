package dev.coppice.compute.sandbox;

import dev.coppice.compute.ComputeException;
import dev.coppice.compute.Signals;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Control groups of the kernel: one for each compute, in a group {@value #PARENT} at the top, which limits its memory and
 * processes and gives it its share of the processors. Version 1, a hierarchy for each controller, or version 2. Thread-safe.
 *
 * <p>A group outlives the compute, because what the page cache holds for the next wake is charged to it; of those without
 * processes the least recently used go when there are too many, and what an earlier server left goes at the start.
 */
final class ControlGroups {
    /** Where the kernel's administration mounts them, everywhere. */
    private static final Path ROOT = Path.of("/sys/fs/cgroup");

    private static final String PARENT = "coppice";
    private static final Duration SWEPT_AFTER = Duration.ofHours(1);
    private static final int KEPT_MAX = 512;
    private static final int END_ROUNDS_MAX = 500;
    private static final long END_PAUSE_MILLIS = 2;

    /** Of one core, in version 1 and version 2. */
    private static final int SHARES_PER_UNIT = 1024;

    private static final int WEIGHT_PER_UNIT = 100;
    private static final int SHARES_MIN = 2;
    private static final int SHARES_MAX = 262_144;
    private static final int WEIGHT_MAX = 10_000;
    private static final Logger log = LoggerFactory.getLogger(ControlGroups.class);

    private final List<Path> parents;
    private final boolean unified;

    /** Names of groups in the order in which they were last used. */
    private final LinkedHashSet<String> used = new LinkedHashSet<>();

    private ControlGroups(List<Path> parents, boolean unified) {
        this.parents = parents;
        this.unified = unified;
    }

    /** Those of this machine; empty when this process may not make any. */
    static Optional<ControlGroups> find() {
        return find(ROOT);
    }

    /** As {@link #find()}, with another place where they are mounted. */
    static Optional<ControlGroups> find(Path root) {
        boolean unified = Files.exists(root.resolve("cgroup.controllers"));
        List<Path> tops =
                unified ? List.of(root) : List.of(root.resolve("memory"), root.resolve("cpu"), root.resolve("pids"));
        List<Path> parents = new ArrayList<>();
        try {
            for (Path top : tops) {
                Path parent = top.resolve(PARENT);
                if (unified) {
                    write(top, "cgroup.subtree_control", "+memory +cpu +pids");
                }
                if (!Files.isDirectory(parent)) {
                    Files.createDirectory(parent);
                }
                parents.add(parent);
            }
            ControlGroups groups = new ControlGroups(parents, unified);
            groups.prepareParents();
            groups.sweep();
            return Optional.of(groups);
        } catch (IOException e) {
            log.debug("No control groups for computes: {}", e.toString());
            return Optional.empty();
        }
    }

    /** All computes together weigh as much as threads of the server that keep every processor busy. */
    private void prepareParents() throws IOException {
        int processors = Runtime.getRuntime().availableProcessors();
        for (Path parent : parents) {
            if (unified) {
                write(parent, "cgroup.subtree_control", "+memory +cpu +pids");
                write(parent, "cpu.weight", Integer.toString(Math.min(WEIGHT_MAX, WEIGHT_PER_UNIT * processors)));
            } else if (Files.exists(parent.resolve("cpu.shares"))) {
                write(parent, "cpu.shares", Integer.toString(Math.min(SHARES_MAX, SHARES_PER_UNIT * processors)));
            }
        }
    }

    /**
     * Makes a compute's groups with its limits, or changes the limits of those that are there.
     *
     * @param name of file names' characters
     * @return the directories that its first process has to join
     * @throws ComputeException when they cannot be made, or the limits not be set
     */
    synchronized List<Path> prepare(String name, Limits limits) {
        used.remove(name);
        used.add(name);
        List<Path> groups = new ArrayList<>();
        try {
            for (Path parent : parents) {
                Path group = parent.resolve(name);
                if (Files.isDirectory(group)) {
                    Files.setLastModifiedTime(group, FileTime.from(Instant.now()));
                } else {
                    Files.createDirectory(group);
                }
                limit(group, limits);
                groups.add(group);
            }
        } catch (IOException e) {
            throw new ComputeException("cannot limit a compute's memory and processes", e);
        }
        while (used.size() > KEPT_MAX && removeOldest()) {
            log.debug("Removed the control group of a compute that was not used for long");
        }
        return groups;
    }

    private void limit(Path group, Limits limits) throws IOException {
        String memory = Long.toString(limits.memoryBytes());
        if (unified) {
            write(group, "memory.max", memory);
            write(group, "pids.max", Integer.toString(limits.processes()));
            write(group, "cpu.weight", weight(limits.units() * WEIGHT_PER_UNIT, 1, WEIGHT_MAX));
            return;
        }
        // Each hierarchy has the files of its own controller.
        writeIfThere(group, "memory.limit_in_bytes", memory);
        writeIfThere(group, "pids.max", Integer.toString(limits.processes()));
        writeIfThere(group, "cpu.shares", weight(limits.units() * SHARES_PER_UNIT, SHARES_MIN, SHARES_MAX));
    }

    private static String weight(double value, int min, int max) {
        return Integer.toString(Math.clamp(Math.round(value), min, max));
    }

    /** Ends every process of a compute, wherever it went, also one that forks all the time. */
    void end(String name) {
        Path group = parents.getLast().resolve(name);
        try {
            if (Files.isDirectory(group)) {
                write(group, "pids.max", "0");
            }
            for (int round = 0; round < END_ROUNDS_MAX; round++) {
                List<Long> left = processes(group.resolve("cgroup.procs"));
                if (left.isEmpty()) {
                    return;
                }
                for (long pid : left) {
                    boolean gone = !Signals.KILL.send(pid);
                    log.debug("Process {} of a compute was {}", pid, gone ? "gone" : "there");
                }
                Thread.sleep(END_PAUSE_MILLIS);
            }
            log.warn("Processes in {} do not end", group);
        } catch (IOException e) {
            throw new ComputeException("cannot end the processes in " + group, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ComputeException("interrupted while ending the processes in " + group, e);
        }
    }

    private static List<Long> processes(Path file) throws IOException {
        try {
            return Files.readAllLines(file, StandardCharsets.US_ASCII).stream()
                    .map(Long::valueOf)
                    .toList();
        } catch (NoSuchFileException e) {
            return List.of();
        }
    }

    private boolean removeOldest() {
        for (String name : List.copyOf(used)) {
            if (remove(name)) {
                used.remove(name);
                return true;
            }
        }
        return false;
    }

    /** Whether it is gone; not while it has processes. */
    private boolean remove(String name) {
        try {
            for (Path parent : parents) {
                Files.deleteIfExists(parent.resolve(name));
            }
            return true;
        } catch (IOException e) {
            log.trace("The control group {} stays: {}", name, e.getMessage());
            return false;
        }
    }

    /** Empty groups that nobody used for long; a young one may be that of another server whose compute is about to join. */
    private void sweep() throws IOException {
        Set<String> names = new LinkedHashSet<>();
        Instant old = Instant.now().minus(SWEPT_AFTER);
        try (DirectoryStream<Path> groups = Files.newDirectoryStream(
                parents.getFirst(),
                group -> Files.isDirectory(group)
                        && Files.getLastModifiedTime(group).toInstant().isBefore(old))) {
            groups.forEach(group -> names.add(String.valueOf(group.getFileName())));
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        names.forEach(this::remove);
    }

    private static void writeIfThere(Path group, String file, String value) throws IOException {
        if (Files.exists(group.resolve(file))) {
            write(group, file, value);
        }
    }

    private static void write(Path group, String file, String value) throws IOException {
        Files.writeString(group.resolve(file), value, StandardCharsets.US_ASCII, StandardOpenOption.WRITE);
    }
}
