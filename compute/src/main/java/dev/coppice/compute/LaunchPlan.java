package dev.coppice.compute;

import dev.coppice.compute.ComputeDriver.Launch;
import dev.coppice.storage.Epoch;
import dev.coppice.storage.Timeline;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How a compute's postmaster is started: its arguments, and the environment by which the interposer finds what belongs to
 * it ({@code docs/page-protocol.md}, section 4).
 */
record LaunchPlan(PostgresBinaries binaries, Path interposer) {
    Launch of(String endpointId, Timeline timeline, Epoch epoch, LocalDirectory local, RunDirectory run) {
        return new Launch(
                command(endpointId, local, run),
                environment(timeline, epoch, local, run),
                local.pgdata().toAbsolutePath(),
                run.log().file(),
                local.user());
    }

    String postgresqlConf(ComputeSettings settings) {
        return PostgresConfiguration.postgresqlConf(binaries.majorVersion(), settings);
    }

    private List<String> command(String endpointId, LocalDirectory local, RunDirectory run) {
        List<String> command = new ArrayList<>();
        command.add(binaries.postgres().toString());
        command.add("-D");
        command.add(absolute(local.pgdata()));
        command.addAll(PostgresConfiguration.arguments(binaries.majorVersion(), endpointId, absolute(run.directory())));
        return command;
    }

    private Map<String, String> environment(Timeline timeline, Epoch epoch, LocalDirectory local, RunDirectory run) {
        Map<String, String> environment = new HashMap<>();
        environment.put("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
        environment.put("LC_ALL", "C");
        environment.put("TZ", "UTC");
        environment.put("LD_PRELOAD", absolute(interposer));
        environment.put("COPPICE_DATA", absolute(local.pgdata()));
        environment.put("COPPICE_JOURNAL", absolute(epoch.journal()));
        environment.put("COPPICE_EPOCH", Long.toString(epoch.number()));
        environment.put("COPPICE_MARK", Long.toHexString(epoch.startMark().value()));
        environment.put("COPPICE_AGENT", absolute(run.agentSocket()));
        environment.put("COPPICE_LOCK", absolute(timeline.writerLock()));
        environment.put("COPPICE_MAP", absolute(local.map()));
        environment.put("COPPICE_WAL_ARCHIVE", absolute(timeline.walArchiveDirectory()));
        return environment;
    }

    private static String absolute(Path path) {
        return path.toAbsolutePath().toString();
    }
}
