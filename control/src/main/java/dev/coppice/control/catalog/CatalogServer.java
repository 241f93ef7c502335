package dev.coppice.control.catalog;

import dev.coppice.compute.ComputeUser;
import dev.coppice.control.error.ControlException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Postgres process under the catalog: made by initdb once, started, adopted when it outlived an earlier server, started
 * again when it dies, stopped cleanly.
 *
 * <p>It runs in a session of its own, so a Ctrl-C on the server's terminal does not reach it and it is stopped last. It is
 * an ordinary cluster with fsync on: a kill -9 costs a recovery and nothing else. Only this class writes its configuration.
 */
public final class CatalogServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(CatalogServer.class);

    /** sun_path of Linux holds 107 bytes and a zero. */
    private static final int SOCKET_PATH_MAX_BYTES = 107;

    private static final Duration START_TIMEOUT = Duration.ofMinutes(2);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(30);
    private static final Duration LEFTOVERS_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration INITDB_TIMEOUT = Duration.ofMinutes(2);
    private static final Duration RESTART_PAUSE = Duration.ofMillis(200);
    private static final Duration RESTART_PAUSE_MAX = Duration.ofSeconds(10);
    private static final long POLL_MILLIS = 5;
    private static final long LOG_MAX_BYTES = 8 << 20;
    private static final int LOG_TAIL_LINES = 20;
    private static final String ADMIN = "coppice_admin";

    private final Path binaries;
    private final ComputeUser user;
    private final Path data;
    private final Path run;
    private final int sharedBuffersMegabytes;
    private final ReentrantLock lock = new ReentrantLock();
    private final AtomicBoolean stopping = new AtomicBoolean();
    private volatile @Nullable ProcessHandle postmaster;

    private CatalogServer(Path binaries, ComputeUser user, Path dataDirectory, int sharedBuffersMegabytes) {
        this.binaries = binaries;
        this.user = user;
        this.data = dataDirectory.resolve("catalog").toAbsolutePath();
        this.run = dataDirectory.resolve("run").resolve("catalog").toAbsolutePath();
        this.sharedBuffersMegabytes = sharedBuffersMegabytes;
    }

    /**
     * Starts the catalog's Postgres, or takes over the running one, and returns when it accepts connections.
     *
     * @param binaries directory with {@code postgres}, {@code initdb} and {@code pg_ctl}
     * @param dataDirectory Coppice's data directory; the cluster is {@code catalog/} and the socket {@code run/catalog/} in it
     * @throws ControlException when it does not start; the message ends with what Postgres said
     */
    public static CatalogServer start(Path binaries, ComputeUser user, Path dataDirectory, int sharedBuffersMegabytes) {
        CatalogServer server = new CatalogServer(binaries, user, dataDirectory, sharedBuffersMegabytes);
        try {
            server.layOut();
            server.startOrAdopt();
        } catch (IOException e) {
            throw new ControlException(
                    ControlException.Kind.UNAVAILABLE, "cannot start the catalog: " + e.getMessage(), e);
        }
        return server;
    }

    /** The Unix socket to connect to, as role {@value #ADMIN} by peer authentication. */
    public Path socket() {
        return run.resolve(".s.PGSQL.5432");
    }

    /** The postmaster's process id, when it runs. */
    public Optional<Long> pid() {
        ProcessHandle handle = postmaster;
        return handle != null && handle.isAlive() ? Optional.of(handle.pid()) : Optional.empty();
    }

    private void layOut() throws IOException {
        if (socket().toString().getBytes(StandardCharsets.UTF_8).length > SOCKET_PATH_MAX_BYTES) {
            throw new ControlException(
                    ControlException.Kind.INVALID,
                    "the data directory's path is too long: a Unix socket's path may have " + SOCKET_PATH_MAX_BYTES
                            + " bytes, and " + socket() + " has more");
        }
        user.privateDirectory(run);
        if (!Files.exists(data.resolve("PG_VERSION"))) {
            initialize();
        }
        writeConfiguration();
    }

    /** Makes the cluster beside its place and renames it, so a half-made one is never taken for a whole one. */
    private void initialize() throws IOException {
        Path fresh = data.resolveSibling("catalog.new");
        deleteTree(fresh);
        user.privateDirectory(fresh);
        List<String> command = user.command(List.of(
                binaries.resolve("initdb").toString(),
                "--pgdata=" + fresh,
                "--username=" + ADMIN,
                "--auth=peer",
                "--encoding=UTF8",
                "--locale=C",
                "--no-instructions"));
        Path output = run.resolve("initdb.log");
        Process process = start(command, output);
        if (!waitFor(process, INITDB_TIMEOUT) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new ControlException(
                    ControlException.Kind.UNAVAILABLE, "initdb of the catalog failed:\n" + tail(output));
        }
        // An empty directory in the place is what an administrator may have prepared; anything else makes this fail.
        Files.move(fresh, data, StandardCopyOption.ATOMIC_MOVE);
    }

    private void writeConfiguration() throws IOException {
        String settings = """
                # Written by Coppice at each start.
                listen_addresses = ''
                unix_socket_directories = '%s'
                unix_socket_permissions = 0777
                port = 5432
                max_connections = 20
                shared_buffers = %dMB
                fsync = on
                synchronous_commit = on
                full_page_writes = on
                wal_level = minimal
                max_wal_senders = 0
                max_wal_size = 64MB
                min_wal_size = 32MB
                max_worker_processes = 0
                max_parallel_workers = 0
                max_parallel_workers_per_gather = 0
                max_logical_replication_workers = 0
                autovacuum_max_workers = 1
                huge_pages = off
                jit = off
                timezone = 'UTC'
                log_timezone = 'UTC'
                restart_after_crash = on
                log_min_messages = warning
                """.formatted(run.toString().replace("'", "''"), sharedBuffersMegabytes);
        write("postgresql.conf", settings);
        write("pg_hba.conf", "local all " + ADMIN + " peer map=coppice\n");
        write("pg_ident.conf", "coppice " + quote(System.getProperty("user.name")) + " " + ADMIN + "\n");
    }

    private static String quote(String identifier) {
        return '"' + identifier.replace("\"", "\"\"") + '"';
    }

    private void write(String name, String content) throws IOException {
        Path temporary = data.resolve(name + ".new");
        Files.writeString(temporary, content);
        user.own(temporary);
        Files.move(temporary, data.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    }

    private void startOrAdopt() throws IOException {
        lock.lock();
        try {
            Optional<ProcessHandle> running = running();
            ProcessHandle handle;
            if (running.isPresent()) {
                handle = running.get();
                log.info("Adopting the catalog's Postgres, process {}", handle.pid());
            } else {
                removeLeftovers();
                handle = spawn();
            }
            awaitReady(handle);
            postmaster = handle;
            var _ = handle.onExit().thenAccept(this::died);
        } finally {
            lock.unlock();
        }
    }

    /** The postmaster of this very directory, if postmaster.pid names it and it lives. */
    private Optional<ProcessHandle> running() throws IOException {
        List<String> lines = pidFile();
        if (lines.isEmpty() || !lines.getFirst().strip().matches("[1-9][0-9]{0,9}")) {
            return Optional.empty();
        }
        long pid = Long.parseLong(lines.getFirst().strip());
        return worksIn(pid) ? ProcessHandle.of(pid).filter(ProcessHandle::isAlive) : Optional.empty();
    }

    /**
     * After a kill -9: waits for children that outlived their postmaster (they notice, and leave), ends those that stay, and
     * removes the pid file. Postgres does not do that last step when the number was given to another process of the user.
     */
    private void removeLeftovers() throws IOException {
        long deadline = System.nanoTime() + LEFTOVERS_TIMEOUT.toNanos();
        List<ProcessHandle> left = processesHere();
        while (!left.isEmpty() && System.nanoTime() < deadline) {
            sleep(POLL_MILLIS);
            left = processesHere();
        }
        for (ProcessHandle process : left) {
            log.warn("Ending process {}, left over from the catalog's Postgres", process.pid());
            process.destroyForcibly();
            process.onExit().join();
        }
        Files.deleteIfExists(data.resolve("postmaster.pid"));
    }

    private List<ProcessHandle> processesHere() {
        return ProcessHandle.allProcesses()
                .filter(process -> worksIn(process.pid()))
                .toList();
    }

    private boolean worksIn(long pid) {
        try {
            return Files.readSymbolicLink(Path.of("/proc", Long.toString(pid), "cwd"))
                    .equals(data.toRealPath());
        } catch (IOException goneOrNotOurs) {
            return false;
        }
    }

    private ProcessHandle spawn() throws IOException {
        Path output = logFile();
        if (Files.exists(output) && Files.size(output) > LOG_MAX_BYTES) {
            Files.move(output, output.resolveSibling("catalog.log.1"), StandardCopyOption.REPLACE_EXISTING);
        }
        List<String> command = new ArrayList<>(List.of("setsid"));
        command.addAll(user.command(List.of(binaries.resolve("postgres").toString(), "-D", data.toString())));
        return start(command, output).toHandle();
    }

    private static Process start(List<String> command, Path output) throws IOException {
        Files.writeString(output, "", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()));
        builder.directory(Path.of("/").toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("PG") || name.startsWith("LD_"));
        builder.environment().put("LC_ALL", "C");
        return builder.start();
    }

    /** Waits until the pid file's eighth line says "ready" (src/include/utils/pidfile.h). */
    private void awaitReady(ProcessHandle handle) throws IOException {
        long deadline = System.nanoTime() + START_TIMEOUT.toNanos();
        while (System.nanoTime() < deadline) {
            List<String> lines = pidFile();
            if (lines.size() >= 8
                    && lines.get(7).startsWith("ready")
                    && lines.getFirst().strip().equals(Long.toString(handle.pid()))) {
                return;
            }
            if (!handle.isAlive()) {
                throw new ControlException(
                        ControlException.Kind.UNAVAILABLE, "the catalog's Postgres did not start:\n" + tail(logFile()));
            }
            sleep(POLL_MILLIS);
        }
        throw new ControlException(
                ControlException.Kind.UNAVAILABLE,
                "the catalog's Postgres was not ready after " + START_TIMEOUT.toSeconds() + " s:\n" + tail(logFile()));
    }

    private void died(ProcessHandle handle) {
        if (!stopping.get()) {
            log.warn("The catalog's Postgres, process {}, has gone; starting it again", handle.pid());
            Thread.ofVirtual().name("catalog-restart").start(this::restart);
        }
    }

    private void restart() {
        Duration pause = RESTART_PAUSE;
        while (!stopping.get()) {
            try {
                startOrAdopt();
                return;
            } catch (IOException | ControlException e) {
                log.error("The catalog's Postgres does not start; trying again in {} ms", pause.toMillis(), e);
                sleep(pause.toMillis());
                pause = pause.multipliedBy(2).compareTo(RESTART_PAUSE_MAX) > 0
                        ? RESTART_PAUSE_MAX
                        : pause.multipliedBy(2);
            }
        }
    }

    /** Lets go of the process, which runs on until another object adopts it: a hand-over to the next server. */
    public void letGo() {
        stopping.set(true);
    }

    /** Fast shutdown, and an immediate one when that takes too long; both keep everything that was committed. */
    @Override
    public void close() {
        stopping.set(true);
        lock.lock();
        try {
            ProcessHandle handle = postmaster;
            if (handle == null || !handle.isAlive()) {
                return;
            }
            for (String mode : List.of("fast", "immediate")) {
                signal(mode);
                if (waitFor(handle, STOP_TIMEOUT)) {
                    return;
                }
                log.warn(
                        "The catalog's Postgres did not stop within {} s ({} shutdown)",
                        STOP_TIMEOUT.toSeconds(),
                        mode);
            }
        } finally {
            lock.unlock();
        }
    }

    private void signal(String mode) {
        List<String> command = user.command(
                List.of(binaries.resolve("pg_ctl").toString(), "stop", "-W", "-s", "-m", mode, "-D", data.toString()));
        try {
            waitFor(start(command, logFile()), STOP_TIMEOUT);
        } catch (IOException e) {
            log.warn("Cannot run pg_ctl to stop the catalog", e);
        }
    }

    private List<String> pidFile() throws IOException {
        try {
            return Files.readAllLines(data.resolve("postmaster.pid"), StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException notThere) {
            return List.of();
        }
    }

    private Path logFile() {
        return run.resolve("catalog.log");
    }

    private static String tail(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file, StandardCharsets.ISO_8859_1);
        return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_TAIL_LINES), lines.size()));
    }

    private static boolean waitFor(Process process, Duration timeout) {
        return waitFor(process.toHandle(), timeout);
    }

    private static boolean waitFor(ProcessHandle handle, Duration timeout) {
        try {
            handle.onExit().get(timeout.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (java.util.concurrent.TimeoutException e) {
            return false;
        } catch (java.util.concurrent.ExecutionException e) {
            throw new IllegalStateException("waiting for process " + handle.pid(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ControlException(ControlException.Kind.UNAVAILABLE, "interrupted while starting the catalog", e);
        }
    }

    private static void deleteTree(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(directory)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
