package dev.coppice.compute.sandbox;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What one program and all that it starts may reach, beyond the programs, libraries and devices that everybody may
 * ({@link SystemPaths}). Everything named must exist when the program starts, except {@code directories}.
 *
 * @param reads files and directories to read and execute
 * @param lookUps directories whose files may be read by name, but not listed
 * @param writes directories to do everything in but start programs, and make links, sockets and devices
 * @param sockets the same, and sockets
 * @param memory directories to keep plain files in
 * @param files to read and write
 * @param directories made by the program's user when they are missing; inside of what may be written
 */
public record SandboxPolicy(
        List<Path> reads,
        List<Path> lookUps,
        List<Path> writes,
        List<Path> sockets,
        List<Path> memory,
        List<Path> files,
        List<Path> directories,
        Reach network) {
    /** How far a program's network goes. */
    public enum Reach {
        ALL,
        /** An interface of its own that leads nowhere, for a program that talks to itself by it; no sockets where that cannot be had. */
        LOOPBACK,
        NONE
    }

    public SandboxPolicy {
        reads = List.copyOf(reads);
        lookUps = List.copyOf(lookUps);
        writes = List.copyOf(writes);
        sockets = List.copyOf(sockets);
        memory = List.copyOf(memory);
        files = List.copyOf(files);
        directories = List.copyOf(directories);
    }

    /** A program with directories of its own, which may hold sockets, and no network. */
    public static SandboxPolicy of(List<Path> reads, Path... own) {
        return new SandboxPolicy(
                reads, List.of(), List.of(), List.of(own), List.of(), List.of(), List.of(), Reach.NONE);
    }

    /** Every path that may be written. */
    List<Path> writable() {
        List<Path> all = new ArrayList<>(writes);
        all.addAll(sockets);
        all.addAll(memory);
        all.addAll(files);
        return all;
    }
}
