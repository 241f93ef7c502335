package dev.coppice.compute;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;

/**
 * What the server remembers of a compute that it started, {@code timelines/<id>/compute}: by this a later server finds it, and by nothing that the compute can write. Not
 * synced: when the machine goes down, the compute does too.
 *
 * @param dataDirectoryId of the data directory that it works in; in a copy of it the compute is somebody else's
 */
record ComputeRecord(String dataDirectoryId, String endpointId, RunDirectory.Names names, long pid) {
    static final String FILE = "compute";
    private static final int FIELDS = 5;

    void store(Path timeline) throws IOException {
        Path making = timeline.resolve(FILE + "~");
        Files.deleteIfExists(making);
        Files.createFile(making, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(
                making,
                String.join(" ", dataDirectoryId, endpointId, names.sockets(), names.agent(), Long.toString(pid))
                        + "\n");
        Files.move(making, timeline.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
    }

    /** Empty when there is none, or one of a version before. */
    static Optional<ComputeRecord> load(Path timeline) throws IOException {
        String[] fields;
        try {
            fields = Files.readString(timeline.resolve(FILE), StandardCharsets.US_ASCII)
                    .strip()
                    .split(" ", -1);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        if (fields.length != FIELDS || !fields[FIELDS - 1].matches("[1-9][0-9]{0,9}")) {
            return Optional.empty();
        }
        return Optional.of(new ComputeRecord(
                fields[0], fields[1], new RunDirectory.Names(fields[2], fields[3]), Long.parseLong(fields[4])));
    }

    static void delete(Path timeline) throws IOException {
        Files.deleteIfExists(timeline.resolve(FILE));
    }
}
