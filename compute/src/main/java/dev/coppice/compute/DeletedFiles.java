package dev.coppice.compute;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Files without a name that a process still has open: they take space that no walk through directories finds. */
final class DeletedFiles {
    private static final Logger log = LoggerFactory.getLogger(DeletedFiles.class);
    private static final Path PROC = Path.of("/proc");

    /** As the kernel marks them in the links below {@code /proc/<pid>/fd}. */
    private static final String MARK = " (deleted)";

    private DeletedFiles() {}

    /** The length of those that lay below a directory, in bytes; of processes that this one may not look into there is nothing. */
    static long below(Path directory) throws IOException {
        String prefix = directory + "/";
        Set<Object> seen = new HashSet<>();
        long bytes = 0;
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path process : processes) {
                bytes += of(process.resolve("fd"), prefix, seen);
            }
        }
        return bytes;
    }

    private static long of(Path descriptors, String prefix, Set<Object> seen) {
        long bytes = 0;
        try (DirectoryStream<Path> open = Files.newDirectoryStream(descriptors)) {
            for (Path each : open) {
                String target = Files.readSymbolicLink(each).toString();
                if (target.startsWith(prefix)
                        && target.endsWith(MARK)
                        && seen.add(Files.getAttribute(each, "unix:ino"))) {
                    bytes += Files.size(each);
                }
            }
        } catch (IOException e) {
            log.trace("{} has ended meanwhile, or is another's", descriptors);
        }
        return bytes;
    }
}
