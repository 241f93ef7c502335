package dev.coppice.control.catalog;

import dev.coppice.compute.ComputeUser;
import dev.coppice.compute.Signals;
import dev.coppice.compute.sandbox.Sandbox;
import dev.coppice.control.error.ControlException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
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

    private static final Duration START_TIMEOUT = Duration.ofMinutes(2);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(30);
    private static final Duration LEFTOVERS_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration RESTART_PAUSE = Duration.ofMillis(200);
    private static final Duration RESTART_PAUSE_MAX = Duration.ofSeconds(10);
    private static final long POLL_MILLIS = 5;
    private static final long LOG_MAX_BYTES = 8 << 20;
    private static final String PID_FILE = "postmaster.pid";
    private static final int PID_FILE_MAX = 16 << 10;

    /** Postgres notes its arguments there, which have absolute paths in them. */
    private static final String OPTIONS_FILE = "postmaster.opts";

    private final CatalogCluster cluster;
    private final ReentrantLock lock = new ReentrantLock();
    private final AtomicBoolean stopping = new AtomicBoolean();
    private volatile @Nullable ProcessHandle postmaster;
    private volatile @Nullable Path socket;

    private CatalogServer(CatalogCluster cluster) {
        this.cluster = cluster;
    }

    /**
     * Starts the catalog's Postgres, or takes over the running one, and returns when it accepts connections.
     *
     * @param binaries directory with {@code postgres} and {@code initdb}
     * @param interposer lets them run as a user without a name
     * @param dataDirectory Coppice's data directory; the cluster is {@code catalog/} and the socket below {@code run/catalog/} in it
     * @param user whom it runs as, and nothing else
     * @throws ControlException when it does not start; the message ends with what Postgres said
     */
    public static CatalogServer start(
            Path binaries,
            Path interposer,
            ComputeUser user,
            Sandbox sandbox,
            Path dataDirectory,
            int sharedBuffersMegabytes) {
        CatalogCluster cluster = new CatalogCluster(
                binaries,
                interposer.toAbsolutePath(),
                user,
                sandbox,
                dataDirectory.resolve("catalog").toAbsolutePath(),
                dataDirectory.resolve("run").resolve("catalog").toAbsolutePath(),
                dataDirectory.resolve("logs").toAbsolutePath(),
                sharedBuffersMegabytes);
        CatalogServer server = new CatalogServer(cluster);
        try {
            server.startOrAdopt();
            server.logInOnce();
            return server;
        } catch (IOException | SQLException e) {
            server.close();
            throw new ControlException(
                    ControlException.Kind.UNAVAILABLE, "cannot start the catalog: " + e.getMessage(), e);
        }
    }

    /** Shows that this process may log in. It also loads the driver, while whoever starts us does other things. */
    private void logInOnce() throws SQLException {
        DriverManager.getConnection(Catalog.url(socket(), "postgres"), CatalogCluster.ADMIN, "")
                .close();
    }

    /** The Unix socket to connect to, as role {@code coppice_admin} by peer authentication. */
    public Path socket() {
        return Objects.requireNonNull(socket, "the catalog was not started");
    }

    /** The postmaster's process id, when it runs. */
    public Optional<Long> pid() {
        ProcessHandle handle = postmaster;
        return handle != null && handle.isAlive() ? Optional.of(handle.pid()) : Optional.empty();
    }

    private void startOrAdopt() throws IOException {
        lock.lock();
        try {
            Optional<ProcessHandle> running = running();
            Optional<Path> sockets = cluster.socketDirectory();
            ProcessHandle handle;
            if (running.isPresent() && sockets.isPresent() && cluster.isUsers()) {
                handle = running.get();
                socket = cluster.socketIn(sockets.get());
                log.info("Adopting the catalog's Postgres, process {}", handle.pid());
            } else {
                removeLeftovers();
                cluster.layOut();
                socket = cluster.socketIn(
                        cluster.prepare(Optional.ofNullable(socket).map(Path::getParent)));
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
     * removes the pid file and the socket's. Postgres does not do that last step when the number was given to another process
     * of the user, as after a reboot.
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
        if (Files.isDirectory(cluster.data(), LinkOption.NOFOLLOW_LINKS)) {
            cluster.delete(PID_FILE);
            cluster.delete(OPTIONS_FILE);
        }
    }

    private List<ProcessHandle> processesHere() {
        return ProcessHandle.allProcesses()
                .filter(process -> worksIn(process.pid()))
                .toList();
    }

    private boolean worksIn(long pid) {
        try {
            return Files.readSymbolicLink(Path.of("/proc", Long.toString(pid), "cwd"))
                    .equals(cluster.data().toRealPath());
        } catch (IOException goneOrNotOurs) {
            return false;
        }
    }

    private ProcessHandle spawn() throws IOException {
        Path output = logFile();
        if (Files.exists(output) && Files.size(output) > LOG_MAX_BYTES) {
            Files.move(output, output.resolveSibling("catalog.log.1"), StandardCopyOption.REPLACE_EXISTING);
        }
        List<String> command = cluster.command(
                cluster.data(),
                Objects.requireNonNull(socket().getParent()),
                cluster.binaries().resolve("postgres").toString(),
                "-D",
                cluster.data().toString());
        return Programs.start(command, output).toHandle();
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
                        ControlException.Kind.UNAVAILABLE,
                        "the catalog's Postgres did not start:\n" + Programs.tail(logFile()));
            }
            sleep(POLL_MILLIS);
        }
        throw new ControlException(
                ControlException.Kind.UNAVAILABLE,
                "the catalog's Postgres was not ready after " + START_TIMEOUT.toSeconds() + " s:\n"
                        + Programs.tail(logFile()));
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
            // Fast, then immediate.
            for (Signals signal : List.of(Signals.INT, Signals.QUIT)) {
                if (!signal.send(handle.pid()) || Programs.waitFor(handle, STOP_TIMEOUT)) {
                    forgetPlace();
                    return;
                }
                log.warn("The catalog's Postgres did not stop within {} s of SIG{}", STOP_TIMEOUT.toSeconds(), signal);
            }
        } finally {
            lock.unlock();
        }
    }

    /** At rest nothing in the cluster says where it is, so that it can be copied or moved. */
    private void forgetPlace() {
        try {
            cluster.delete(OPTIONS_FILE);
        } catch (IOException e) {
            log.warn("Cannot tidy {}", cluster.data(), e);
        }
    }

    private List<String> pidFile() throws IOException {
        return cluster.head(PID_FILE, PID_FILE_MAX)
                .map(text -> text.lines().toList())
                .orElse(List.of());
    }

    private Path logFile() {
        return cluster.logs().resolve("catalog.log");
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ControlException(ControlException.Kind.UNAVAILABLE, "interrupted while starting the catalog", e);
        }
    }
}
