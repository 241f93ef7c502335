package dev.coppice.common.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/** Where Coppice keeps its data. */
public final class DataDirectory {
    static final String VARIABLE = "COPPICE_DATA_DIR";
    private static final String KEY = "data_directory";
    private static final Path OF_ROOT = Path.of("/var/lib/coppice");

    private DataDirectory() {}

    /**
     * The data directory that the configuration in force says, as {@link ConfigurationLoader} finds it. The rest of the configuration
     * is read, and checked, only when the file has something to say: that takes longer than all else that a client does.
     *
     * @param environment the process environment
     * @throws ConfigurationException when there is no such directory to be had, or the file cannot be read
     */
    public static Path find(Map<String, String> environment) {
        String variable = environment.getOrDefault(VARIABLE, "");
        if (!variable.isBlank()) {
            return Path.of(variable).toAbsolutePath().normalize();
        }
        String file = environment.getOrDefault(ConfigurationLoader.FILE_VARIABLE, "");
        return file.isBlank() || isSilent(Path.of(file))
                ? standard(environment)
                : ConfigurationLoader.load(environment).dataDirectory().orElseThrow();
    }

    /** Whether a file has no line with the key that is not a comment. What cannot be read is not silent: it has to be told. */
    private static boolean isSilent(Path file) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.noneMatch(
                    line -> line.contains(KEY) && !line.stripLeading().startsWith("#"));
        } catch (IOException | UncheckedIOException unreadable) {
            return false;
        }
    }

    /**
     * Where it is when nothing says otherwise: {@code /var/lib/coppice} for root, else {@code $XDG_DATA_HOME/coppice} or {@code ~/.local/share/coppice}.
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
