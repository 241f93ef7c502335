package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * kill -9 of the compute and of the server under load, while the storage flushes, merges and collects all the time: what a
 * client was told is committed is there afterwards, and everything on disk is whole.
 *
 * <p>Longer: {@code -Dcoppice.crash.cycles=200}.
 */
class CrashIT {
    /** Short enough that every few cycles something is collected. */
    private static final int HISTORY_SECONDS = 5;

    private static final int CYCLES_BETWEEN_CHECKS = 5;
    private static final int CYCLES = Integer.getInteger("coppice.crash.cycles", 10);
    private static final int CLIENTS = 3;

    private final Random random = new Random(seed());
    private final CommitLoad load = new CommitLoad();

    private static long seed() {
        long seed = Long.getLong("coppice.seed", System.nanoTime());
        System.out.println("CrashIT: -Dcoppice.seed=" + seed);
        return seed;
    }

    @Test
    void no_acknowledged_commit_is_lost_when_computes_are_killed() throws Exception {
        try (ServerProcess server = ServerProcess.start("crc", StorageChecks.RESTLESS)) {
            String main = prepare(server);
            for (int cycle = 0; cycle < CYCLES; cycle++) {
                underLoad(main, () -> killCompute(main));
                check(server, main, cycle);
            }
        }
    }

    @Test
    void no_acknowledged_commit_is_lost_when_the_server_is_killed() throws Exception {
        try (ServerProcess server = ServerProcess.start("crs", StorageChecks.RESTLESS)) {
            String main = prepare(server);
            for (int cycle = 0; cycle < CYCLES; cycle++) {
                boolean both = cycle % 2 == 1;
                underLoad(main, () -> {
                    server.kill();
                    if (both) {
                        killCompute(main);
                    }
                });
                server.restart();
                check(server, main, cycle);
            }
        }
    }

    private void check(ServerProcess server, String main, int cycle) {
        load.assertAllPresent(main, "cycle " + cycle);
        if (cycle % CYCLES_BETWEEN_CHECKS == CYCLES_BETWEEN_CHECKS - 1 || cycle == CYCLES - 1) {
            Amcheck.assertClean(main);
            StorageChecks.assertClean(server, "cycle " + cycle);
        }
    }

    private static String prepare(ServerProcess server) {
        StorageChecks.keepHistory(server, HISTORY_SECONDS);
        String main = server.uri("main");
        CommitLoad.prepare(main);
        Programs.pgbench(main, "-i", "-q", "-s", "2").text();
        return main;
    }

    /** Runs clients and pgbench, and after a random time the disaster. */
    private void underLoad(String uri, Runnable disaster) throws InterruptedException {
        load.start(uri, CLIENTS);
        Thread pages = Thread.ofPlatform().start(() -> Programs.pgbench(uri, "-n", "-c", "3", "-T", "20"));
        load.awaitProgress();
        Thread.sleep(300 + random.nextInt(1_700));
        disaster.run();
        load.stop();
        pages.join();
    }

    private static void killCompute(String uri) {
        String endpoint = uri.replaceAll(".*endpoint%3D(ep-[a-z0-9-]+).*", "$1");
        List<ProcessHandle> postmasters = ProcessHandle.allProcesses()
                .filter(process -> commandLine(process).contains("cluster_name=" + endpoint))
                .toList();
        assertThat(postmasters).as("the running compute of " + endpoint).isNotEmpty();
        postmasters.forEach(ProcessHandle::destroyForcibly);
    }

    private static String commandLine(ProcessHandle process) {
        try {
            return java.nio.file.Files.readString(java.nio.file.Path.of("/proc/" + process.pid() + "/cmdline"));
        } catch (IOException e) {
            return "";
        }
    }
}
