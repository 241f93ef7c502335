package dev.coppice.compute;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What {@code postmaster.pid} says: pid, data directory, start time, port, socket directory, listen address, shared memory
 * key, status; a line each (src/include/utils/pidfile.h). It grows while Postgres starts, so the later lines may be
 * missing.
 *
 * @param socketDirectory empty until Postgres listens
 */
record PostmasterPidFile(long pid, String socketDirectory, boolean ready) {
    private static final int SOCKET_DIRECTORY_LINE = 4;
    private static final int STATUS_LINE = 7;
    private static final String READY = "ready";

    /** Empty when there is no such file, or not yet a pid in it. */
    static Optional<PostmasterPidFile> read(Path dataDirectory) throws IOException {
        String text;
        try {
            text = Files.readString(dataDirectory.resolve("postmaster.pid"), StandardCharsets.UTF_8);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        return parse(text);
    }

    static Optional<PostmasterPidFile> parse(String text) {
        String[] lines = text.split("\n", -1);
        // Without its line end a number may be half of one.
        if (lines.length < 2) {
            return Optional.empty();
        }
        long pid;
        try {
            pid = Long.parseLong(lines[0].strip());
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
        String socketDirectory = lines.length > SOCKET_DIRECTORY_LINE + 1 ? lines[SOCKET_DIRECTORY_LINE].strip() : "";
        boolean ready = lines.length > STATUS_LINE && lines[STATUS_LINE].strip().equals(READY);
        return Optional.of(new PostmasterPidFile(pid, socketDirectory, ready));
    }
}
