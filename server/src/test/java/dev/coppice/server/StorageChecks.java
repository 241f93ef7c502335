package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

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

    private StorageChecks() {}

    /** History of a few seconds, so that collections have something to collect. */
    static void keepHistory(ServerProcess server, int seconds) {
        String projects = server.cli("projects", "list", "-o", "json").text();
        String id = projects.replaceAll("(?s).*?\"id\"\\s*:\\s*\"([^\"]+)\".*", "$1");
        server.cli("projects", "update", id, "--history-retention-seconds", String.valueOf(seconds))
                .text();
    }

    /** Every checksum, manifest, ancestor and WAL record of every branch. */
    static void assertClean(ServerProcess server, String when) {
        Programs.Result result = server.cli("storage", "verify");
        assertThat(result.exitCode())
                .as("storage verify after %s: %s%s", when, result.output(), result.error())
                .isZero();
    }
}
