package dev.coppice.compute;

import com.codahale.metrics.MetricRegistry;
import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeDriver.Instance;
import dev.coppice.compute.ComputeDriver.Shutdown;
import dev.coppice.compute.agent.AgentServer;
import dev.coppice.storage.PageService;
import dev.coppice.storage.Timeline;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.timeline.Epoch;
import dev.coppice.storage.timeline.FileOwner;
import dev.coppice.storage.wal.ControlFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The steps from a timeline to a running Postgres and back. Each call blocks; the caller takes care that only one works on
 * a timeline at a time.
 *
 * <p>Start: begin the epoch, lay out the local files, serve pages, start the process, wait until it is ready. End, whatever
 * the cause: the postmaster gone, then every other process gone (the lock says so), then the epoch ended, then the local
 * files marked clean or discarded. A failed start goes through the same end.
 */
final class ComputeLifecycle {
    private static final Logger log = LoggerFactory.getLogger(ComputeLifecycle.class);

    /** Recovery replays at most max_wal_size and a checkpoint; this is far beyond. */
    private static final Duration START_MAX = Duration.ofMinutes(10);

    /** A compute that was up is ready at once; one in the middle of its recovery is rather started again. */
    private static final Duration ADOPTION_MAX = Duration.ofSeconds(5);

    private static final Duration FAST_SHUTDOWN_MAX = Duration.ofMinutes(2);
    private static final Duration IMMEDIATE_SHUTDOWN_MAX = Duration.ofSeconds(10);
    private static final Duration KILL_MAX = Duration.ofSeconds(10);
    private static final long POLL_MILLIS = 2;
    private static final int LOG_LINES_IN_ERROR = 12;

    private final PageService pages;
    private final LaunchPlan launches;
    private final ComputeUsers users;
    private final Path runDirectory;
    private final Path logDirectory;
    private final ComputeDriver driver;
    private final MetricRegistry metrics;

    private final TimelineClaims claims = new TimelineClaims();
    private final EpochEnd epochEnd;

    ComputeLifecycle(
            PageService pages,
            PostgresBinaries binaries,
            Path interposer,
            ComputeUsers users,
            Path runDirectory,
            Path logDirectory,
            ComputeDriver driver,
            MetricRegistry metrics) {
        this.pages = pages;
        this.launches = new LaunchPlan(binaries, interposer, driver.sandboxSettings(), driver.isolation());
        this.users = users;
        this.runDirectory = runDirectory;
        this.logDirectory = logDirectory;
        this.driver = driver;
        this.epochEnd = new EpochEnd(driver, users);
        this.metrics = metrics;
    }

    RunDirectory run(String endpointId) {
        return new RunDirectory(runDirectory.resolve(endpointId));
    }

    /** An endpoint's log, which outlives its computes. */
    ServerLog log(String endpointId) {
        return new ServerLog(logDirectory.resolve(endpointId + ".log"));
    }

    /** The names of all run directories; empty before the first compute. */
    Set<String> runDirectories() throws IOException {
        if (!Files.isDirectory(runDirectory)) {
            return Set.of();
        }
        try (Stream<Path> directories = Files.list(runDirectory)) {
            return directories
                    .map(directory -> String.valueOf(directory.getFileName()))
                    .collect(Collectors.toSet());
        }
    }

    /**
     * Starts a compute and waits until it accepts connections.
     *
     * @param instead values of settings that it does not start with as they are
     * @throws ComputeException when it does not; nothing of it is left then
     */
    RunningCompute start(ComputeSpec spec, Map<String, String> instead) throws InterruptedException {
        PhaseClock clock = new PhaseClock(metrics, "compute.wake");
        Timeline timeline = pages.timeline(spec.timeline());
        timeline.requireWholeBoundaries();
        TimelineClaim claim = claims.take(timeline.id(), spec.endpointId());
        try {
            return start(spec, instead, timeline, claim, clock);
        } catch (IOException e) {
            throw new ComputeException("cannot prepare the files of endpoint " + spec.endpointId(), e);
        } finally {
            claim.closeUnlessKept();
        }
    }

    private RunningCompute start(
            ComputeSpec spec, Map<String, String> instead, Timeline timeline, TimelineClaim claim, PhaseClock clock)
            throws IOException, InterruptedException {
        if (timeline.epochOpen()) {
            // Left by a start or an end that failed half-way.
            epochEnd.end(timeline, local(timeline), false);
        }
        clock.phase("check");
        LocalDirectory local = local(timeline);
        ComputeUser user = users.of(timeline.id());
        boolean warm = local.isWarm(timeline.currentEpoch(), user);
        if (!warm) {
            local.discard();
        }
        Epoch epoch = timeline.beginEpoch(new FileOwner(user.uid(), user.gid()));
        clock.phase("epoch");
        try {
            return launch(spec, instead, claim, timeline, epoch, local, user, clock, warm);
        } catch (IOException | RuntimeException | InterruptedException e) {
            endAfter(e, timeline);
            throw e;
        }
    }

    /** Ends what a failed start began. What cannot be ended now is ended by the next start, or goes with the timeline. */
    private void endAfter(Exception failure, Timeline timeline) throws InterruptedException {
        try {
            epochEnd.end(timeline, local(timeline), false);
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    private RunningCompute launch(
            ComputeSpec spec,
            Map<String, String> instead,
            TimelineClaim claim,
            Timeline timeline,
            Epoch epoch,
            LocalDirectory local,
            ComputeUser user,
            PhaseClock clock,
            boolean warm)
            throws IOException, InterruptedException {
        local.layOut(user, warm ? List.of() : timeline.directories(), files(spec, instead.keySet()));
        if (!warm) {
            user.requireReach(local.pgdata());
        }
        RunDirectory run = run(spec.endpointId());
        ComputeSockets sockets = run.prepare(user);
        ServerLog serverLog = log(spec.endpointId());
        serverLog.limit();
        clock.phase("layout");
        AgentServer agent = AgentServer.start(sockets.agent(), timeline, epoch.number(), user);
        try {
            clock.phase("agent");
            long logStart = serverLog.size();
            // A standby recovers nothing; it waits for WAL that never comes.
            boolean mustRecover = spec.mode() == ComputeSpec.Mode.READ_WRITE && !EpochEnd.isShutDown(timeline);
            Map<String, String> decided = StartSettings.of(spec, timeline, launches.configured(spec.settings()))
                    .decided(launches.majorVersion(), timeline, mustRecover, instead);
            Instance instance =
                    driver.start(launches.of(spec, timeline, epoch, local, user, sockets, serverLog, decided));
            new ComputeRecord(users.dataDirectoryId(), spec.endpointId(), sockets.names(), instance.pid())
                    .store(timeline.layout().directory());
            clock.phase("spawn");
            awaitReady(instance, local, serverLog, logStart, START_MAX);
            if (mustRecover) {
                requireRecovered(local, epoch);
            }
            timeline.started();
            clock.phase("ready");
            clock.finish(spec.endpointId() + (warm ? " warm" : " cold"));
            return new RunningCompute(
                    spec.endpointId(),
                    claim.keep(),
                    timeline,
                    epoch.number(),
                    instance,
                    agent,
                    run,
                    serverLog,
                    sockets.address(new ComputeAddress.Peer(user.uid(), instance.pid())),
                    logStart);
        } catch (RuntimeException | IOException | InterruptedException e) {
            driver.killAll(local.pgdata());
            agent.close();
            throw e;
        }
    }

    /** What every compute has for a setting that nobody asks for; empty = nothing. */
    String configured(String name) {
        return launches.configured(ComputeSettings.defaults()).getOrDefault(name, "");
    }

    private Map<String, String> files(ComputeSpec spec, Set<String> leftOut) {
        Map<String, String> files = new HashMap<>();
        files.put("postgresql.conf", launches.postgresqlConf(spec.settings(), leftOut));
        files.put("pg_hba.conf", PostgresConfiguration.pgHba());
        files.put("pg_ident.conf", PostgresConfiguration.pgIdent(System.getProperty("user.name")));
        if (spec.mode() == ComputeSpec.Mode.READ_ONLY) {
            files.put(LocalDirectory.STANDBY_SIGNAL, "");
        }
        return files;
    }

    /**
     * Stops a compute: fast, then with growing force.
     *
     * @return whether it ended cleanly; otherwise the next start recovers
     */
    boolean stop(RunningCompute compute) throws InterruptedException {
        PhaseClock clock = new PhaseClock(metrics, "compute.suspend");
        Instance instance = compute.instance();
        boolean gone = shutDown(instance, Shutdown.FAST, FAST_SHUTDOWN_MAX)
                || shutDown(instance, Shutdown.IMMEDIATE, IMMEDIATE_SHUTDOWN_MAX)
                || shutDown(instance, Shutdown.KILL, KILL_MAX);
        if (!gone) {
            throw new ComputeException("the compute of " + compute.endpointId() + ", process " + instance.pid()
                    + ", cannot be ended: it hangs in the operating system");
        }
        clock.phase("shutdown");
        boolean clean = finish(compute);
        clock.phase("end");
        clock.finish(compute.endpointId() + (clean ? " clean" : " unclean"));
        return clean;
    }

    /**
     * Throws away a timeline's local files.
     *
     * @throws ComputeException while a compute has the timeline
     */
    void discardLocal(TimelineId id) throws IOException, InterruptedException {
        Timeline timeline = pages.timeline(id);
        try (TimelineClaim _ = claims.takeToClean(id)) {
            if (timeline.writerRunning()) {
                throw new ComputeException("processes of an earlier compute still use timeline " + id.value());
            }
            local(timeline).discard();
        }
    }

    /**
     * Cleans up after a compute whose postmaster is gone; true when it had ended cleanly. Once its processes are gone, so is
     * its claim: an epoch that cannot be ended, say on a full disk, is ended by the next start or goes with the timeline.
     *
     * @throws ComputeException when processes are left; the compute keeps its claim then
     */
    boolean finish(RunningCompute compute) throws InterruptedException {
        OptionalInt status = compute.instance().exit().getNow(OptionalInt.empty());
        boolean mayBeClean = status.isEmpty() || status.getAsInt() == 0;
        LocalDirectory local = local(compute.timeline());
        boolean clean = false;
        try {
            epochEnd.endProcesses(compute.timeline(), local, mayBeClean);
        } finally {
            compute.agent().close();
        }
        try (TimelineClaim _ = compute.claim()) {
            clean = epochEnd.endEpoch(compute.timeline(), local, mayBeClean);
        } catch (RuntimeException e) {
            log.error(
                    "The compute of {} ended, but what it did cannot be closed; the next start tries again",
                    compute.endpointId(),
                    e);
        }
        try {
            compute.run().clean();
        } catch (IOException e) {
            log.warn(
                    "Cannot clean {}; the next start tries again", compute.run().directory(), e);
        }
        return clean;
    }

    /** Why a compute died, for listeners and operators: its last words. */
    String lastWords(RunningCompute compute) {
        String status = compute.instance().exit().getNow(OptionalInt.empty()).toString();
        return "the postmaster ended, " + status + "; its log ends with:\n"
                + compute.log().tail(compute.logStart(), LOG_LINES_IN_ERROR);
    }

    /**
     * Takes over a timeline with an open epoch after a restart of the server: its compute when there is a working one;
     * otherwise what is left of it is ended, and the result is empty.
     */
    Optional<RunningCompute> adopt(Timeline timeline) throws InterruptedException {
        LocalDirectory local = local(timeline);
        Optional<ComputeRecord> record;
        try {
            record = timeline.writerRunning() ? recordOf(timeline) : Optional.empty();
        } catch (IOException e) {
            throw new ComputeException(
                    "cannot look for the compute of timeline " + timeline.id().value(), e);
        }
        TimelineClaim claim = record.isEmpty()
                ? claims.takeToClean(timeline.id())
                : claims.take(timeline.id(), record.get().endpointId());
        try {
            Optional<RunningCompute> adopted =
                    record.isEmpty() ? Optional.empty() : findRunning(timeline, local, record.get(), claim);
            if (adopted.isEmpty()) {
                epochEnd.end(timeline, local, true);
            }
            return adopted;
        } catch (IOException e) {
            throw new ComputeException(
                    "cannot look for the compute of timeline " + timeline.id().value(), e);
        } finally {
            claim.closeUnlessKept();
        }
    }

    /** Whether an earlier server started a compute on the timeline that it did not see end. */
    boolean hasRecord(Timeline timeline) {
        return Files.exists(timeline.layout().directory().resolve(ComputeRecord.FILE));
    }

    /** What an earlier server wrote down of the timeline's compute; empty when it says nothing, or is of another data directory. */
    private Optional<ComputeRecord> recordOf(Timeline timeline) throws IOException {
        return ComputeRecord.load(timeline.layout().directory())
                .filter(record -> record.dataDirectoryId().equals(users.dataDirectoryId())
                        && ComputeSpec.isEndpointId(record.endpointId())
                        && record.names().valid());
    }

    private Optional<RunningCompute> findRunning(
            Timeline timeline, LocalDirectory local, ComputeRecord record, TimelineClaim claim)
            throws IOException, InterruptedException {
        Optional<Instance> instance = driver.find(record.pid(), local.pgdata());
        Optional<ComputeUser> user = users.knownOf(timeline.id());
        if (instance.isEmpty() || user.isEmpty()) {
            return Optional.empty();
        }
        String endpointId = record.endpointId();
        RunDirectory run = run(endpointId);
        ComputeSockets sockets = run.sockets(record.names());
        ServerLog serverLog = log(endpointId);
        long logStart = serverLog.size();
        AgentServer agent = AgentServer.start(sockets.agent(), timeline, timeline.currentEpoch(), user.get());
        try {
            awaitReady(instance.get(), local, serverLog, logStart, ADOPTION_MAX);
            // The server may have gone just before it could say so; nobody came in since.
            timeline.started();
            return Optional.of(new RunningCompute(
                    endpointId,
                    claim.keep(),
                    timeline,
                    timeline.currentEpoch(),
                    instance.get(),
                    agent,
                    run,
                    serverLog,
                    sockets.address(new ComputeAddress.Peer(
                            user.get().uid(), instance.get().pid())),
                    logStart));
        } catch (ComputeException | StorageException e) {
            log.warn("The compute of {} survived the server but is of no use: {}", endpointId, e.getMessage());
            agent.close();
            return Optional.empty();
        } catch (IOException | RuntimeException | InterruptedException e) {
            agent.close();
            throw e;
        }
    }

    /**
     * Recovery that stops early looks like success to Postgres, but acknowledged commits would be missing. It ends with a
     * checkpoint, which lies at or after the end of the WAL that was there.
     */
    private static void requireRecovered(LocalDirectory local, Epoch epoch) throws IOException {
        ControlFile control =
                ControlFile.parse(local.controlFile(), local.pgdata().resolve(ControlFile.PATH));
        // An epoch's stamps begin one above the end of the WAL.
        if (Long.compareUnsigned(control.checkPoint(), epoch.startMark().value() - 1) < 0) {
            throw new ComputeException("recovery ended before " + new Lsn(control.checkPoint())
                    + ", but the WAL reaches to " + epoch.startMark()
                    + ": it is damaged, and the compute is not opened on a part of its data");
        }
    }

    private static boolean shutDown(Instance instance, Shutdown how, Duration timeout) throws InterruptedException {
        instance.shutDown(how);
        try {
            instance.exit().get(timeout.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            log.warn("Process {} did not end within {} of a {} shutdown", instance.pid(), timeout, how);
            return false;
        } catch (ExecutionException e) {
            throw new ComputeException("cannot watch process " + instance.pid(), e.getCause());
        }
    }

    private static void awaitReady(
            Instance instance, LocalDirectory local, ServerLog serverLog, long logStart, Duration timeout)
            throws IOException, InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (true) {
            Optional<PostmasterPidFile> file = local.postmaster();
            if (file.isPresent() && file.get().ready()) {
                return;
            }
            if (!instance.isAlive()) {
                throw new StartRefusedException(serverLog.tail(logStart, LOG_LINES_IN_ERROR));
            }
            if (System.nanoTime() - deadline > 0) {
                throw new ComputeException("Postgres was not ready after " + timeout + "; its log ends with:\n"
                        + serverLog.tail(logStart, LOG_LINES_IN_ERROR));
            }
            Thread.sleep(POLL_MILLIS);
        }
    }

    /** Whether an endpoint has the timeline, or somebody its local files. */
    boolean isClaimed(TimelineId id) {
        return claims.isTaken(id);
    }

    LocalDirectory local(Timeline timeline) {
        return new LocalDirectory(timeline.layout().directory().toAbsolutePath(), users.dataDirectoryId());
    }
}
