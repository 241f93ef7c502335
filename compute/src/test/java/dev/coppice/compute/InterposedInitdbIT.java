package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.agent.AgentServer;
import dev.coppice.storage.PageService;
import dev.coppice.storage.Timeline;
import dev.coppice.storage.file.FileKind;
import dev.coppice.storage.io.DurableFiles;
import dev.coppice.storage.timeline.Epoch;
import dev.coppice.storage.timeline.FileOwner;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** initdb writes a whole cluster through the interposer: the timeline's head must be the local directory, byte for byte. */
class InterposedInitdbIT {
    private static final List<String> LOCAL_ONLY =
            List.of("postgresql.conf", "pg_hba.conf", "pg_ident.conf", "pg_subtrans/0000");

    @Test
    void what_initdb_writes_is_in_the_journal() throws Exception {
        Path directory = TestDirectories.create();
        ComputeUser user = ComputeUser.detect();
        try (PageService pages = PageService.open(directory.resolve("timelines"))) {
            Timeline timeline = pages.createRoot(new TimelineId("initdb"));
            Epoch epoch = timeline.beginEpoch(new FileOwner(user.uid(), user.gid()));
            ComputeSockets sockets = new RunDirectory(directory.resolve("run")).prepare(user);
            LocalDirectory local = new LocalDirectory(timeline.layout().directory(), "test");
            Files.createDirectories(local.directory());
            user.own(local.directory());
            try (AgentServer agent = AgentServer.start(sockets.agent(), timeline, epoch.number(), user)) {
                initdb(user, timeline, epoch, local, sockets);
                assertThat(agent).isNotNull();
            }
            assertSame(timeline, local.pgdata());
        } finally {
            DurableFiles.deleteRecursively(directory);
        }
    }

    private static void initdb(
            ComputeUser user, Timeline timeline, Epoch epoch, LocalDirectory local, ComputeSockets sockets)
            throws IOException, InterruptedException {
        PostgresBinaries binaries = TestDirectories.binaries();
        LaunchPlan plan = new LaunchPlan(
                binaries,
                InterposerLibrary.prepare(TestDirectories.shared()),
                TestDirectories.sandbox().settings(),
                TestDirectories.sandbox().isolation());
        List<String> command = user.command(List.of(
                binaries.initdb().toString(),
                "-D",
                local.pgdata().toAbsolutePath().toString(),
                "-X",
                timeline.layout().wal().toAbsolutePath().toString(),
                "-U",
                "postgres",
                "-A",
                "trust",
                "--locale=C.UTF-8",
                "--no-data-checksums"));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().clear();
        builder.environment()
                .putAll(plan.of(
                                ComputeHarness.spec("initdb"),
                                timeline,
                                epoch,
                                local,
                                user,
                                sockets,
                                new ServerLog(local.directory()),
                                java.util.Map.of())
                        .environment());
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
    }

    private static void assertSame(Timeline timeline, Path pgdata) throws IOException {
        List<String> localOnly = new ArrayList<>();
        int compared = 0;
        try (Stream<Path> files = Files.walk(pgdata)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String path = pgdata.relativize(file).toString();
                if (timeline.stat(path).kind() == FileKind.FILE) {
                    assertThat(timeline.readFile(path).orElseThrow()).as(path).isEqualTo(Files.readAllBytes(file));
                    compared++;
                } else {
                    localOnly.add(path);
                }
            }
        }
        assertThat(localOnly).containsExactlyInAnyOrderElementsOf(LOCAL_ONLY);
        assertThat(compared).isGreaterThan(900);
    }
}
