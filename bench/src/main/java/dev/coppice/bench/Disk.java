package dev.coppice.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What lies on the disk and what was written to it. */
final class Disk {
    private static final int SECTOR = 512;

    /** Of /sys/dev/block/M:m/stat. */
    private static final int SECTORS_WRITTEN = 6;

    private Disk() {}

    /** Allocated bytes below a directory, each file once, without directories named {@code without}. */
    static long allocated(Path directory, String without) {
        // Files may vanish while du looks at them, which it takes for a failure.
        String found = Command.run(
                Map.of(),
                List.of(
                        "sh",
                        "-c",
                        "du -s -B1 --exclude=\"$1\" \"$2\" 2>/dev/null || true",
                        "du",
                        without,
                        directory.toString()));
        return Long.parseLong(found.split("\\s")[0]);
    }

    /** Bytes written to the disk under a directory since the machine started, by everybody. */
    static long written(Path directory) {
        try {
            long device = (long) Files.getAttribute(directory, "unix:dev");
            long major = (device >> 8) & 0xFFF;
            long minor = (device & 0xFF) | ((device >> 12) & 0xFFF00);
            String line = Files.readString(Path.of("/sys/dev/block/" + major + ":" + minor + "/stat"));
            return Long.parseLong(line.strip().split("\\s+")[SECTORS_WRITTEN]) * SECTOR;
        } catch (IOException e) {
            throw new IllegalStateException("cannot read what the disk wrote", e);
        }
    }

    static void sync() {
        Command.run(Map.of(), List.of("sync"));
    }

    /** Makes the next read come from the disk; false where that is not allowed. */
    static boolean dropCaches() {
        sync();
        try {
            Files.writeString(Path.of("/proc/sys/vm/drop_caches"), "3");
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
