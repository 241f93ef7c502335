package dev.coppice.compute;

import dev.coppice.compute.ComputeSpec.Mode;
import dev.coppice.compute.ComputeSpec.Reach;
import dev.coppice.storage.Timeline;
import dev.coppice.storage.wal.ControlFile;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a start decides about Postgres's settings, besides what is asked for: it goes on the command line, where nothing inside the database can change
 * it.
 *
 * @param configured {@code postgresql.conf} as it is written
 * @param altered what {@code ALTER SYSTEM} has left, which counts more
 */
record StartSettings(ComputeSpec spec, Map<String, String> configured, Map<String, String> altered) {
    private static final int FIRST_WITH_SLOT_SYNCHRONIZATION = 17;

    /** Where only a standby or an archive recovery would look: no compute is one of somebody else's. */
    private static final Map<String, String> NO_ARCHIVE = Map.of(
            "restore_command", "",
            "archive_cleanup_command", "",
            "recovery_end_command", "",
            "primary_conninfo", "",
            "primary_slot_name", "",
            "recovery_min_apply_delay", "0",
            "recovery_target", "",
            "recovery_target_lsn", "",
            "recovery_target_time", "");

    private static final Map<String, String> NO_ARCHIVE_MORE =
            Map.of("recovery_target_name", "", "recovery_target_xid", "", "recovery_target_timeline", "latest");

    /** What a copy inherits from {@code ALTER SYSTEM} and would do to its parent's archive and standbys. */
    private static final Map<String, String> AS_A_COPY =
            Map.of("archive_mode", "off", "synchronous_standby_names", "", "cron.launch_active_jobs", "off");

    private static final Map<String, String> NOTHING_OUTSIDE =
            Map.of("max_logical_replication_workers", "0", "wal_level", "replica");

    static StartSettings of(ComputeSpec spec, Timeline timeline, Map<String, String> configured) {
        return new StartSettings(spec, configured, AlteredSettings.of(timeline));
    }

    /**
     * Names and values for the command line.
     *
     * @param recovers whether WAL has to be replayed, or is waited for
     * @param instead what stands for settings that Postgres does not start with
     */
    Map<String, String> decided(int majorVersion, Timeline timeline, boolean recovers, Map<String, String> instead) {
        Map<String, String> decided = new LinkedHashMap<>(NO_ARCHIVE);
        decided.putAll(NO_ARCHIVE_MORE);
        if (spec.reach() != Reach.OWN) {
            AS_A_COPY.forEach((name, value) -> {
                if (spec.reach() == Reach.NONE || !spec.settings().postgres().containsKey(name)) {
                    decided.put(name, value);
                }
            });
        }
        if (spec.reach() == Reach.NONE) {
            decided.putAll(NOTHING_OUTSIDE);
            if (majorVersion >= FIRST_WITH_SLOT_SYNCHRONIZATION) {
                decided.put("sync_replication_slots", "off");
            }
        }
        decided.putAll(instead);
        if (recovers || spec.mode() == Mode.READ_ONLY || hasPreparedTransactions(timeline)) {
            timeline.readFile(ControlFile.PATH)
                    .map(RecoveryNeeds::parse)
                    .orElse(RecoveryNeeds.NONE)
                    .least()
                    .forEach((name, least) -> raise(decided, name, least));
        }
        return decided;
    }

    private static boolean hasPreparedTransactions(Timeline timeline) {
        return timeline.list("pg_twophase").map(files -> !files.isEmpty()).orElse(false);
    }

    private void raise(Map<String, String> decided, String name, int least) {
        String value = decided.getOrDefault(
                name, altered.getOrDefault(name, configured.getOrDefault(name, RecoveryNeeds.standard(name))));
        // What is no number is Postgres's to refuse.
        if (value.matches("[0-9]{1,9}") && Integer.parseInt(value) < least) {
            decided.put(name, Integer.toString(least));
        }
    }
}
