package dev.coppice.compute;

import com.codahale.metrics.MetricRegistry;
import dev.coppice.storage.PageService;
import java.nio.file.Path;
import java.time.Clock;

/** A server in a process of its own, to be killed: wakes one endpoint, says so, and waits. */
final class ServerProcess {
    private ServerProcess() {}

    /** @param arguments data directory, timeline */
    @SuppressWarnings("SystemOut")
    public static void main(String[] arguments) throws InterruptedException {
        Path directory = Path.of(arguments[0]);
        try (PageService pages = PageService.open(directory.resolve("timelines"));
                ComputeService computes = new ComputeService(new ComputeService.Parts(
                        pages,
                        TestDirectories.binaries(),
                        InterposerLibrary.prepare(TestDirectories.shared()),
                        TestDirectories.users(directory),
                        directory.resolve("run"),
                        new LocalProcessDriver(TestDirectories.sandbox()),
                        new MetricRegistry(),
                        Clock.systemUTC()))) {
            ComputeHarness.await(computes.wake(ComputeHarness.spec(arguments[1])));
            System.out.println("awake");
            Thread.sleep(Long.MAX_VALUE);
        }
    }
}
