package dev.coppice.common.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Where Coppice keeps its data when nothing says otherwise. */
public final class DataDirectory {
    private static final Path OF_ROOT = Path.of("/var/lib/coppice");

    private DataDirectory() {}

    /**
     * {@code /var/lib/coppice} for root, else {@code $XDG_DATA_HOME/coppice} or {@code ~/.local/share/coppice}.
     *
     * @param environment the process environment
     */
    public static Path standard(Map<String, String> environment) {
        return isRoot() ? OF_ROOT : ofUser(environment);
    }

    static Path ofUser(Map<String, String> environment) {
        String xdg = environment.getOrDefault("XDG_DATA_HOME", "");
        if (!xdg.isBlank()) {
            return Path.of(xdg, "coppice");
        }
        String home = environment.getOrDefault("HOME", "");
        if (home.isBlank()) {
            throw new ConfigurationException(
                    "no data directory: neither HOME nor COPPICE_DATA_DIR is set; set COPPICE_DATA_DIR, or data_directory"
                            + " in the configuration file");
        }
        return Path.of(home, ".local", "share", "coppice");
    }

    /** Asks the kernel rather than user.name, which a container may not be able to resolve. */
    private static boolean isRoot() {
        try {
            return Files.getAttribute(Path.of("/proc/self"), "unix:uid") instanceof Integer uid && uid == 0;
        } catch (IOException | UnsupportedOperationException noProc) {
            return "root".equals(System.getProperty("user.name"));
        }
    }
}
