package dev.coppice.compute;

import java.nio.file.Path;

/** The library that goes into every Postgres process of a compute, as a file. */
public final class InterposerLibrary {
    private InterposerLibrary() {}

    /** Writes the library of this machine's architecture into a directory, unless it is there, and says where it is. */
    public static Path prepare(Path directory) {
        return NativeFile.prepare(directory, "libcoppice_interposer", ".so");
    }
}
