package dev.coppice.compute;

import dev.coppice.compute.ComputeDriver.Launch;
import dev.coppice.compute.sandbox.Isolation;
import dev.coppice.compute.sandbox.Limits;
import dev.coppice.compute.sandbox.SandboxPolicy;
import dev.coppice.compute.sandbox.SandboxPolicy.Reach;
import dev.coppice.compute.sandbox.SandboxSettings;
import dev.coppice.compute.sandbox.SandboxSettings.Network;
import dev.coppice.storage.Timeline;
import dev.coppice.storage.timeline.Epoch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How a compute's postmaster is started: its arguments, and the environment by which the interposer finds what belongs to
 * it ({@code docs/page-protocol.md}, section 4).
 */
record LaunchPlan(PostgresBinaries binaries, Path interposer, SandboxSettings sandbox, Isolation isolation) {
    /** Until version 15 Postgres gathered statistics by datagrams to itself. */
    private static final int FIRST_VERSION_WITHOUT_DATAGRAMS = 15;

    /** Postgres's own, workers of parallel queries, and programs. */
    private static final int PROCESSES_BESIDE_CONNECTIONS = 512;

    /**
     * @param decided settings for the command line, besides those that all computes have
     * @throws ComputeException when it must not run here
     */
    Launch of(
            ComputeSpec spec,
            Timeline timeline,
            Epoch epoch,
            LocalDirectory local,
            ComputeUser user,
            ComputeSockets sockets,
            ServerLog log,
            Map<String, String> decided) {
        if (timeline.seesThroughBoundary() && !isolation.confines()) {
            throw new ComputeException("the computes of anonymized branches and masked roles are not started where the"
                    + " kernel cannot keep their programs from originals; isolation: " + isolation.text());
        }
        return new Launch(
                command(spec.endpointId(), local, sockets, decided),
                environment(timeline, epoch, local, sockets),
                local.pgdata().toAbsolutePath(),
                log.file(),
                user,
                memory(local),
                policy(timeline, epoch, local, sockets),
                limits(spec.settings()));
    }

    /** What the compute's processes may reach: what is theirs, and nothing of anybody else. */
    private SandboxPolicy policy(Timeline timeline, Epoch epoch, LocalDirectory local, ComputeSockets sockets) {
        return new SandboxPolicy(
                List.of(binaries.installation(), interposer.toAbsolutePath()),
                memoryOfPages(),
                List.of(
                        local.directory().toAbsolutePath(),
                        timeline.layout().wal().toAbsolutePath(),
                        timeline.layout().finishedWal().toAbsolutePath()),
                List.of(sockets.directory().toAbsolutePath()),
                List.of(memory(local).path()),
                List.of(
                        epoch.journal().toAbsolutePath(),
                        timeline.layout().writerLock().toAbsolutePath()),
                List.of(temporary(local)),
                reach(timeline));
    }

    private static Limits limits(ComputeSettings settings) {
        return new Limits(
                (long) (settings.computeUnits() * ComputeSettings.MEGABYTES_PER_UNIT) << 20,
                PROCESSES_BESIDE_CONNECTIONS + PostgresConfiguration.maxConnections(settings),
                settings.computeUnits());
    }

    private static List<Path> memoryOfPages() {
        try {
            return List.of(MemoryDirectory.pages());
        } catch (IOException e) {
            // Without it pages come through the agent's socket.
            return List.of();
        }
    }

    private Reach reach(Timeline timeline) {
        Network network = timeline.seesThroughBoundary() ? sandbox.maskedNetwork() : sandbox.network();
        if (network == Network.ALL) {
            return Reach.ALL;
        }
        return binaries.majorVersion() < FIRST_VERSION_WITHOUT_DATAGRAMS ? Reach.LOOPBACK : Reach.NONE;
    }

    private static MemoryDirectory memory(LocalDirectory local) {
        return MemoryDirectory.of(local.pgdata());
    }

    /** Where programs of the compute put temporary files: the machine's own place would be shared with others. */
    private static Path temporary(LocalDirectory local) {
        return local.directory().resolve("tmp").toAbsolutePath();
    }

    String postgresqlConf(ComputeSettings settings, Set<String> leftOut) {
        return PostgresConfiguration.postgresqlConf(binaries.majorVersion(), settings, leftOut);
    }

    Map<String, String> configured(ComputeSettings settings) {
        return PostgresConfiguration.lines(binaries.majorVersion(), settings);
    }

    int majorVersion() {
        return binaries.majorVersion();
    }

    private List<String> command(
            String endpointId, LocalDirectory local, ComputeSockets sockets, Map<String, String> decided) {
        List<String> command = new ArrayList<>();
        command.add(binaries.postgres().toString());
        command.add("-D");
        command.add(absolute(local.pgdata()));
        command.addAll(
                PostgresConfiguration.arguments(binaries.majorVersion(), endpointId, absolute(sockets.directory())));
        decided.forEach((name, value) -> command.addAll(List.of("-c", name + "=" + value)));
        return command;
    }

    private Map<String, String> environment(
            Timeline timeline, Epoch epoch, LocalDirectory local, ComputeSockets sockets) {
        Map<String, String> environment = new HashMap<>();
        environment.put("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
        environment.put("LC_ALL", "C");
        environment.put("TZ", "UTC");
        environment.put("TMPDIR", temporary(local).toString());
        environment.put("LD_PRELOAD", absolute(interposer));
        environment.put("COPPICE_DATA", absolute(local.pgdata()));
        environment.put("COPPICE_JOURNAL", absolute(epoch.journal()));
        environment.put("COPPICE_EPOCH", Long.toString(epoch.number()));
        environment.put("COPPICE_MARK", Long.toHexString(epoch.startMark().value()));
        environment.put("COPPICE_AGENT", absolute(sockets.agent()));
        environment.put("COPPICE_LOCK", absolute(timeline.layout().writerLock()));
        environment.put("COPPICE_MAP", absolute(local.map()));
        environment.put("COPPICE_WAL_ARCHIVE", absolute(timeline.layout().finishedWal()));
        environment.put("COPPICE_MEMORY", memory(local).path().toString());
        return environment;
    }

    private static String absolute(Path path) {
        return path.toAbsolutePath().toString();
    }
}
