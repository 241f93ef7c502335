package dev.coppice.cli.api;

import dev.coppice.cli.output.CliException;
import dev.coppice.common.config.ConfigurationException;
import dev.coppice.common.config.DataDirectory;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/** {@code coppice.lock} of a data directory, in which a server says which process it is. */
public final class ServerProcessFile {
    private static final String FILE = "coppice.lock";

    private ServerProcessFile() {}

    public static Path dataDirectory(Map<String, String> environment) {
        try {
            return DataDirectory.find(environment);
        } catch (ConfigurationException e) {
            throw new CliException(CliException.USAGE, String.valueOf(e.getMessage()), null);
        }
    }

    /** The server that runs on the data directory. A process that merely got the number of one that ended is none. */
    public static Optional<ProcessHandle> running(Path data) {
        Path file = data.resolve(FILE);
        try {
            String[] words = Files.readString(file).strip().split(" ", -1);
            long pid = Long.parseLong(words[0]);
            long started = Long.parseLong(words[1]);
            return ProcessHandle.of(pid)
                    .filter(process -> process.info()
                            .startInstant()
                            .map(Instant::toEpochMilli)
                            .filter(begun -> begun == started)
                            .isPresent());
        } catch (NoSuchFileException | NumberFormatException | ArrayIndexOutOfBoundsException none) {
            return Optional.empty();
        } catch (AccessDeniedException e) {
            throw new CliException(
                    CliException.USAGE,
                    "cannot read " + file + ": permission denied",
                    "run as the user that started the server");
        } catch (IOException e) {
            throw new CliException(CliException.USAGE, "cannot read " + file + ": " + e.getMessage(), null);
        }
    }
}
