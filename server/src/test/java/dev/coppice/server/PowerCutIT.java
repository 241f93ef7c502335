package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;

/**
 * The machine loses power: what was not synced is gone, on every file at once. What a client was told is committed and
 * every branch that was answered are there afterwards.
 *
 * <p>Longer: {@code -Dcoppice.powercut.cycles=30}.
 */
class PowerCutIT {
    private static final int CYCLES = Integer.getInteger("coppice.powercut.cycles", 2);

    private static final int HISTORY_SECONDS = 5;

    private final Random random = new Random(seed());
    private CommitLoad load = new CommitLoad();

    /** Branches that were answered, with the numbers that were acknowledged on main before they were asked for. */
    private final Map<String, Set<Integer>> branches = new ConcurrentHashMap<>();

    /** Branches on which a commit was acknowledged, too. */
    private final Set<String> written = ConcurrentHashMap.newKeySet();

    private int nextBranch;

    private static long seed() {
        long seed = Long.getLong("coppice.seed", System.nanoTime());
        System.out.println("PowerCutIT: -Dcoppice.seed=" + seed);
        return seed;
    }

    @Test
    void nothing_acknowledged_is_lost_when_the_power_fails() throws Exception {
        Path directory = TestDirectories.create("pow");
        Path data = Files.createDirectory(directory.resolve("data"));
        try {
            for (boolean ordered : new boolean[] {true, false}) {
                run(directory, data, ordered);
            }
        } finally {
            TestDirectories.delete(directory);
        }
    }

    private void run(Path directory, Path data, boolean ordered) throws Exception {
        load = new CommitLoad();
        branches.clear();
        written.clear();
        try (PowerCutDisk disk = PowerCutDisk.create(directory.resolve("disk.img"), data, ordered)) {
            ServerProcess server = ServerProcess.startIn(directory, StorageChecks.RESTLESS);
            String main = server.uri("main");
            StorageChecks.keepHistory(server, HISTORY_SECONDS);
            CommitLoad.prepare(main);
            Programs.pgbench(main, "-i", "-q", "-s", "2").text();
            for (int cycle = 0; cycle < CYCLES; cycle++) {
                boolean busy = cycle % 2 == 0;
                String when = "cycle " + cycle + (busy ? ", busy" : ", quiet") + (ordered ? "" : ", data=writeback");
                System.out.println("PowerCutIT: " + when);
                if (busy) {
                    cutUnderLoad(server, main, disk);
                } else {
                    cutAfterAnAnswer(server, disk);
                }
                server.restart();
                check(server, main, when);
            }
            server.kill();
        }
    }

    /** Commits, pages, checkpoints and new branches all at once, until the power fails at some moment. */
    private void cutUnderLoad(ServerProcess server, String main, PowerCutDisk disk) throws Exception {
        load.start(main, 3);
        Thread pages = Thread.ofPlatform().start(() -> Programs.pgbench(main, "-n", "-c", "3", "-T", "20"));
        Thread branching = Thread.ofPlatform().start(() -> {
            while (createAndWrite(server, random.nextBoolean())) {
                // Until the power fails.
            }
        });
        load.awaitProgress();
        Thread.sleep(500 + random.nextInt(2_500));
        disk.cut();
        // Computes that cannot write may hang: nobody waits for clients before the processes are gone.
        server.kill();
        disk.restore();
        load.stop();
        pages.join();
        branching.join();
    }

    /** With nothing else going on, no other sync makes the last answer durable by chance. */
    private void cutAfterAnAnswer(ServerProcess server, PowerCutDisk disk) {
        assertThat(createAndWrite(server, random.nextBoolean())).isTrue();
        disk.cut();
        server.kill();
        disk.restore();
    }

    /** @return false when the power failed meanwhile */
    private boolean createAndWrite(ServerProcess server, boolean write) {
        String name = "b" + nextBranch++;
        Set<Integer> before = load.acknowledged();
        if (server.cli("branches", "create", "--name", name, "--parent", "main").exitCode() != 0) {
            return false;
        }
        branches.put(name, before);
        if (write) {
            Programs.Result uri = server.cli("connection-string", name);
            if (uri.exitCode() != 0
                    || Programs.psql(uri.output().strip(), "insert into done values (-1)")
                                    .exitCode()
                            != 0) {
                return false;
            }
            written.add(name);
        }
        return true;
    }

    private void check(ServerProcess server, String main, String when) {
        if (!load.acknowledged().isEmpty()) {
            load.assertAllPresent(main, when);
        }
        Amcheck.assertClean(main);
        StorageChecks.assertClean(server, when);
        Map<String, Set<Integer>> answered = new HashMap<>(branches);
        branches.clear();
        for (Map.Entry<String, Set<Integer>> branch : answered.entrySet()) {
            String uri = server.uri(branch.getKey());
            CommitLoad.assertPresent(uri, branch.getValue(), when + ", branch " + branch.getKey());
            if (written.contains(branch.getKey())) {
                assertThat(Programs.psql(uri, "select count(*) from done where id = -1")
                                .text())
                        .as("the commit on branch " + branch.getKey() + " after " + when)
                        .isEqualTo("1");
            }
            Amcheck.assertClean(uri);
            server.cli("branches", "delete", branch.getKey()).text();
        }
    }
}
