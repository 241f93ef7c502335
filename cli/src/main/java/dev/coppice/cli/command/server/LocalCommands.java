package dev.coppice.cli.command.server;

import dev.coppice.cli.api.ApiClient;
import dev.coppice.cli.api.ServerProcessFile;
import dev.coppice.cli.command.RootOptions;
import dev.coppice.cli.output.CliException;
import dev.coppice.cli.output.Spinner;
import dev.coppice.cli.output.Visible;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Commands about a server on this machine, which need no API: its process, its log, its place. */
public final class LocalCommands {
    private static final Duration POLL = Duration.ofMillis(100);

    private LocalCommands() {}

    @Command(name = "stop", description = "Stop the server of the data directory; returns when it has ended.")
    public static final class Stop implements Callable<Integer> {
        @Spec
        private CommandSpec spec = CommandSpec.create();

        @Override
        public Integer call() {
            Path data = ServerProcessFile.dataDirectory(RootOptions.environment(spec));
            Optional<ProcessHandle> server = ServerProcessFile.running(data);
            PrintWriter out = spec.commandLine().getOut();
            if (server.isEmpty()) {
                throw new CliException(CliException.UNREACHABLE, "no server runs on " + data, null);
            }
            if (!server.get().destroy()) {
                throw new CliException(
                        CliException.REFUSED,
                        "the server's process " + server.get().pid() + " cannot be told to stop",
                        "run as the user that started it");
            }
            try (Spinner _ = Spinner.begin(spec.commandLine().getErr())) {
                while (server.get().isAlive()) {
                    ApiClient.pause(POLL);
                }
            }
            out.println("The server on " + data + " has stopped.");
            out.flush();
            return 0;
        }
    }

    @Command(name = "data-directory", hidden = true, description = "Print where the data lives.")
    public static final class Data implements Callable<Integer> {
        @Spec
        private CommandSpec spec = CommandSpec.create();

        @Override
        public Integer call() {
            PrintWriter out = spec.commandLine().getOut();
            out.println(ServerProcessFile.dataDirectory(RootOptions.environment(spec)));
            out.flush();
            return 0;
        }
    }

    @Command(
            name = "logs",
            description = "Show the log of a server that coppice up -d started.",
            footerHeading = "%nExample:%n",
            footer = "  coppice logs -f")
    public static final class Logs implements Callable<Integer> {
        private static final String FILE = "server.log";
        private static final int CHUNK_BYTES = 1 << 16;

        @Spec
        private CommandSpec spec = CommandSpec.create();

        @Option(
                names = {"-f", "--follow"},
                description = "Go on with what is written from now on.")
        private boolean follow;

        @Option(
                names = {"-n", "--lines"},
                paramLabel = "LINES",
                defaultValue = "50",
                description = "Default: 50.")
        private int lines;

        @Override
        public Integer call() {
            Path file = ServerProcessFile.dataDirectory(RootOptions.environment(spec))
                    .resolve(FILE);
            if (!Files.exists(file)) {
                throw new CliException(
                        CliException.REFUSED,
                        "there is no log " + file,
                        "a server that was not started with coppice up -d writes where it was started");
            }
            try (RandomAccessFile log = new RandomAccessFile(file.toFile(), "r")) {
                log.seek(beginning(log, Math.max(0, lines)));
                copy(log);
                while (follow) {
                    ApiClient.pause(POLL);
                    if (log.length() < log.getFilePointer()) {
                        log.seek(0);
                    }
                    copy(log);
                }
                return 0;
            } catch (IOException e) {
                throw new CliException(CliException.USAGE, "cannot read " + file + ": " + e.getMessage(), null);
            }
        }

        /** Where the last lines begin. */
        private static long beginning(RandomAccessFile log, int wanted) throws IOException {
            long at = log.length();
            int found = -1;
            byte[] chunk = new byte[CHUNK_BYTES];
            while (at > 0) {
                int length = (int) Math.min(CHUNK_BYTES, at);
                at -= length;
                log.seek(at);
                log.readFully(chunk, 0, length);
                for (int i = length - 1; i >= 0; i--) {
                    if (chunk[i] == '\n' && ++found >= wanted) {
                        return at + i + 1;
                    }
                }
            }
            return 0;
        }

        private void copy(RandomAccessFile log) throws IOException {
            PrintWriter out = spec.commandLine().getOut();
            byte[] chunk = new byte[CHUNK_BYTES];
            for (int read = log.read(chunk); read > 0; read = log.read(chunk)) {
                out.print(Visible.lines(new String(chunk, 0, read, StandardCharsets.UTF_8)));
            }
            out.flush();
        }
    }
}
