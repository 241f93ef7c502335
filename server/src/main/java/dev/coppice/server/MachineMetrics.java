package dev.coppice.server;

import com.codahale.metrics.MetricRegistry;
import java.io.File;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;

/** What the server takes of its machine, and what is left: asked for when somebody looks. */
final class MachineMetrics {
    private static final double MILLIS_PER_SECOND = 1000;

    private MachineMetrics() {}

    /** @param data the data directory */
    static void register(MetricRegistry metrics, Path data) {
        // Not a FileStore: that wants a mount point, which is not there below a chroot. 0 where the disk does not
        // answer, and an alert fires.
        File disk = data.toFile();
        metrics.gauge("disk.free-bytes", () -> disk::getUsableSpace);
        metrics.gauge("disk.size-bytes", () -> disk::getTotalSpace);
        metrics.gauge(
                "process.start-time-seconds",
                () -> () -> ManagementFactory.getRuntimeMXBean().getStartTime() / MILLIS_PER_SECOND);
        metrics.gauge(
                "process.heap-used-bytes",
                () -> () ->
                        ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        metrics.gauge(
                "process.heap-max-bytes",
                () -> () ->
                        ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getMax());
    }
}
