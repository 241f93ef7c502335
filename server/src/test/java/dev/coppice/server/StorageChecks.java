package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;

/** Settings under which the storage reorganises itself all the time, and its own check of what lies on disk. */
final class StorageChecks {
    /** For {@link ServerProcess#startIn}: a flush per megabyte, merges and collections at once. */
    static final String RESTLESS = """
              postgres_settings:
                checkpoint_timeout: 30s
                max_wal_size: 64MB
            storage:
              flush_journal_megabytes: 1
              flush_epochs: 2
              compaction_layers: 2
              garbage_collection_interval_seconds: 1
              idle_timeline_seconds: 5
              compress_wal_after_seconds: 1
            """;

    private static final String UNTIL_COLLECTED = "the next collection of garbage deletes it";

    private StorageChecks() {}

    /** History of a few seconds, so that collections have something to collect. */
    static void keepHistory(ServerProcess server, int seconds) {
        String projects = server.cli("projects", "list", "-o", "json").text();
        String id = projects.replaceAll("(?s).*?\"id\"\\s*:\\s*\"([^\"]+)\".*", "$1");
        server.cli("projects", "update", id, "--history-retention-seconds", String.valueOf(seconds))
                .text();
    }

    /**
     * Every checksum, manifest, ancestor and WAL record of every branch. What a killed process left half-made lies there until the
     * next collection, and no longer.
     */
    static void assertClean(ServerProcess server, String when) {
        Programs.Result result = await().atMost(Duration.ofMinutes(1))
                .until(
                        () -> server.cli("storage", "verify"),
                        found -> !(found.output() + found.error()).contains(UNTIL_COLLECTED));
        assertThat(result.exitCode())
                .as("storage verify after %s: %s%s", when, result.output(), result.error())
                .isZero();
    }
}
