package dev.coppice.storage.layer.format;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The temporary file from which a jar's native library was loaded. Its maker removes it when the process ends in an orderly way; a
 * killed one would leave it for ever. What is mapped stays usable without a name.
 */
final class UnpackedLibrary {
    private static final Logger log = LoggerFactory.getLogger(UnpackedLibrary.class);
    private static final Path MAPS = Path.of("/proc/self/maps");

    /** What the library's maker puts beside it while it is in use. */
    private static final String LOCK_SUFFIX = ".lck";

    private UnpackedLibrary() {}

    /** Removes the files that are mapped into this process and whose names begin with {@code prefix}, in the temporary directory. */
    static void unlink(String prefix) {
        Path directory = Path.of(System.getProperty("java.io.tmpdir")).toAbsolutePath();
        String start = directory.resolve(prefix).toString();
        try (Stream<String> lines = Files.lines(MAPS)) {
            Set<String> files = lines.filter(line -> line.contains(start))
                    .map(line -> line.substring(line.indexOf(start)))
                    .collect(Collectors.toSet());
            for (String file : files) {
                Files.deleteIfExists(Path.of(file));
                Files.deleteIfExists(Path.of(file + LOCK_SUFFIX));
            }
        } catch (IOException | UncheckedIOException e) {
            log.debug("The files of {} stay until the process ends", prefix, e);
        }
    }
}
