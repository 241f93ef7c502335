package dev.coppice.server;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A whole server as {@code ./coppice up} runs it: a JVM of its own that can be killed. */
final class ServerProcess implements AutoCloseable {
    /** In what every server prints when clients can connect. */
    static final String READY = "Coppice is ready";

    private static final long START_LIMIT_NANOS = TimeUnit.MINUTES.toNanos(5);

    private final Path directory;
    private final Path configuration;
    private final Path output;
    private final Class<?> program;
    private final boolean inTerminal;
    private final @Nullable OtherUser user;
    private Process process;

    private ServerProcess(
            Path directory, Path configuration, Class<?> program, boolean inTerminal, @Nullable OtherUser user)
            throws IOException {
        this.directory = directory;
        this.configuration = configuration;
        this.program = program;
        this.inTerminal = inTerminal;
        this.user = user;
        this.output = directory.resolve("server.log");
        this.process = spawn();
        awaitReady();
    }

    /**
     * Starts a server on a new directory.
     *
     * @param name short, for the directory
     * @param moreConfiguration lines under {@code compute:} of the configuration file, indented by two
     */
    static ServerProcess start(String name, String... moreConfiguration) throws IOException {
        return startIn(TestDirectories.create(name), String.join("\n", moreConfiguration));
    }

    /**
     * Starts a server whose data lies in {@code directory/data}, which may exist.
     *
     * @param moreConfiguration lines under {@code compute:}, indented by two, then further sections
     */
    static ServerProcess startIn(Path directory, String moreConfiguration) throws IOException {
        return startIn(directory, moreConfiguration, Main.class);
    }

    /** As {@link #startIn(Path, String)}, a server whose operations can be held between two durable steps. */
    static ServerProcess startHeld(String name, String... moreConfiguration) throws IOException {
        return startIn(TestDirectories.create(name), String.join("\n", moreConfiguration), HeldServer.class);
    }

    /** A server in a terminal of its own; {@link #kill} closes the terminal. */
    static ServerProcess startInTerminal(Path directory) throws IOException {
        return startIn(directory, "", Main.class, true, null);
    }

    /** A server of another user of this machine, on a new directory that belongs to him; needs root. */
    static ServerProcess startAs(OtherUser user, String name, String... moreConfiguration) throws IOException {
        Path directory = TestDirectories.create(name);
        user.own(directory);
        return startIn(directory, String.join("\n", moreConfiguration), Main.class, false, user);
    }

    /** As {@link #startIn(Path, String)}, a server of another user, whoever the directory belongs to. */
    static ServerProcess startIn(Path directory, OtherUser user) throws IOException {
        return startIn(directory, "", Main.class, false, user);
    }

    private static ServerProcess startIn(Path directory, String moreConfiguration, Class<?> program)
            throws IOException {
        return startIn(directory, moreConfiguration, program, false, null);
    }

    private static ServerProcess startIn(
            Path directory, String moreConfiguration, Class<?> program, boolean inTerminal, @Nullable OtherUser user)
            throws IOException {
        Path configuration = Files.writeString(
                directory.resolve("coppice.yaml"),
                "proxy:\n  listen: 127.0.0.1:%d\napi:\n  listen: 127.0.0.1:%d\n  operations_listen: 127.0.0.1:%d\ncompute:\n  shared_buffers_megabytes: 64\n%s"
                        .formatted(freePort(), freePort(), freePort(), moreConfiguration));
        return new ServerProcess(directory, configuration, program, inTerminal, user);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    Path data() {
        return directory.resolve("data");
    }

    Path directory() {
        return directory;
    }

    /** Where {@code /metrics} is, and what else needs no key. */
    URI operations() throws IOException {
        return URI.create("http://"
                + Files.readString(configuration)
                        .lines()
                        .map(String::strip)
                        .filter(line -> line.startsWith("operations_listen: "))
                        .map(line -> line.substring(line.indexOf(' ') + 1))
                        .findFirst()
                        .orElseThrow());
    }

    String log() throws IOException {
        return Files.readString(output);
    }

    /** Changes the configuration file and makes the running server read it: SIGHUP. */
    void reconfigure(UnaryOperator<String> change) throws IOException, InterruptedException {
        Files.writeString(configuration, change.apply(Files.readString(configuration)));
        new ProcessBuilder("kill", "-HUP", Long.toString(process.pid())).start().waitFor();
    }

    /** Holds the next request at its step number {@code step}, from 1; only of a server made by {@link #startHeld}. */
    void hold(int step) throws IOException {
        process.outputWriter(StandardCharsets.UTF_8)
                .append(Integer.toString(step))
                .append('\n')
                .flush();
        String said = HeldServer.READY + step;
        long deadline = System.nanoTime() + START_LIMIT_NANOS;
        while (!lastLine(HeldServer.READY).equals(said)) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                throw new IllegalStateException("the server does not listen:\n" + log());
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
        }
    }

    private String lastLine(String prefix) throws IOException {
        return log().lines().filter(line -> line.startsWith(prefix)).reduce("", (_, later) -> later);
    }

    /** How many requests are held. */
    long held() throws IOException {
        return log().lines().filter(HeldServer.HELD::equals).count();
    }

    /** Of the server itself, also inside a terminal. */
    long serverPid() {
        return inTerminal ? process.children().findFirst().orElseThrow().pid() : process.pid();
    }

    /** Kills the server, not its computes. */
    void kill() {
        process.destroyForcibly();
        awaitEnd();
    }

    /** SIGTERM, and waits for the orderly end. */
    int stop() {
        process.destroy();
        awaitEnd();
        return process.exitValue();
    }

    void restart() throws IOException {
        process = spawn();
        awaitReady();
    }

    private void awaitEnd() {
        try {
            if (!process.waitFor(2, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                throw new IllegalStateException("the server did not stop");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Process spawn() throws IOException {
        Files.writeString(output, "");
        List<String> command = new ArrayList<>(user == null ? List.of() : user.prefix());
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseSerialGC",
                "-cp",
                user == null ? System.getProperty("java.class.path") : user.classPath(),
                program.getName(),
                "--data",
                data().toString(),
                "--config",
                configuration.toString()));
        return new ProcessBuilder(
                        inTerminal
                                ? List.of("script", "-qefc", "exec " + String.join(" ", command), "/dev/null")
                                : command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
    }

    /** Until it says so. */
    private void awaitReady() throws IOException {
        long deadline = System.nanoTime() + START_LIMIT_NANOS;
        while (!Files.readString(output).contains(READY)) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                throw new IllegalStateException("the server did not start:\n" + Files.readString(output));
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
        }
    }

    /** The connection string of a branch, in the form that `coppice connection-string` prints. */
    String uri(String branch) {
        return Programs.cli(data(), "connection-string", branch).text();
    }

    Programs.Result cli(String... arguments) {
        return Programs.cli(data(), arguments);
    }

    @Override
    public void close() throws IOException {
        if (process.isAlive()) {
            stop();
        }
        TestDirectories.delete(directory);
    }
}
