package dev.coppice.compute;

import java.util.Optional;

/**
 * What {@code postmaster.pid} says: pid, data directory, start time, port, socket directory, listen address, shared memory
 * key, status; a line each (src/include/utils/pidfile.h). It grows while Postgres starts, so the later lines may be
 * missing. The compute writes it, so nothing else in it is of interest.
 */
record PostmasterPidFile(long pid, boolean ready) {
    /** Within the data directory. */
    static final String NAME = "postmaster.pid";

    /** Paths apart it holds some numbers. */
    static final int SIZE_MAX = 16 << 10;

    /** PID_MAX_LIMIT of include/linux/threads.h. */
    private static final long PID_MAX = 4L << 20;

    private static final int STATUS_LINE = 7;
    private static final String READY = "ready";

    /** Empty when there is not yet a pid in it. */
    static Optional<PostmasterPidFile> parse(String text) {
        String[] lines = text.split("\n", STATUS_LINE + 2);
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
        // A standalone backend's is negative, and those of 0 and 1 are nobody's to signal.
        if (pid <= 1 || pid > PID_MAX) {
            return Optional.empty();
        }
        boolean ready = lines.length > STATUS_LINE && lines[STATUS_LINE].strip().equals(READY);
        return Optional.of(new PostmasterPidFile(pid, ready));
    }
}
