package dev.coppice.storage.io;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** The names in an open directory, one after the other, without holding them all. */
final class DirectoryListing implements AutoCloseable {
    /** What is done with a name; it may remove it. */
    interface Step {
        void take(String name) throws IOException;
    }

    private final int descriptor;
    private final String shown;

    private DirectoryListing(int descriptor, String shown) {
        this.descriptor = descriptor;
        this.shown = shown;
    }

    /** @param directory an open directory, which stays the caller's */
    static DirectoryListing of(int directory, String shown) throws IOException {
        return new DirectoryListing(DirectoryCalls.openListing(directory, ".", shown), shown);
    }

    /**
     * Goes through the names in the order in which the file system has them.
     *
     * @param most beyond it the listing fails
     * @return how many there were
     */
    int forEach(int most, Step step) throws IOException {
        int count = 0;
        // No name is looked up here: the link is the kernel's own, to the directory behind the descriptor.
        try (DirectoryStream<Path> names = Files.newDirectoryStream(Path.of("/proc/self/fd/" + descriptor))) {
            for (Path name : names) {
                if (++count > most) {
                    throw new UntrustedFileException(shown, "has more than " + most + " names");
                }
                step.take(String.valueOf(name.getFileName()));
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return count;
    }

    @Override
    public void close() {
        DirectoryCalls.close(descriptor);
    }
}
