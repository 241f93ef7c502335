package dev.coppice.compute.sandbox;

import dev.coppice.compute.ComputeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether this process may become other users. */
final class Root {
    private Root() {}

    static boolean isSelf() {
        try {
            return (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0;
        } catch (IOException e) {
            throw new ComputeException("cannot tell whose process this is", e);
        }
    }
}
