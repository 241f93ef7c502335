package dev.coppice.compute;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;

/**
 * How large settings must be at least for a cluster's data to be recovered: what they were where its WAL was written, as {@code pg_control} has them
 * (ControlFileData of src/include/catalog/pg_control.h, the same places in 14 to 18).
 *
 * @param least by the setting's name
 */
record RecoveryNeeds(Map<String, Integer> least) {
    static final RecoveryNeeds NONE = new RecoveryNeeds(Map.of());

    private static final int MAX_CONNECTIONS = 180;
    private static final int MAX_WORKER_PROCESSES = 184;
    private static final int MAX_WAL_SENDERS = 188;
    private static final int MAX_PREPARED_TRANSACTIONS = 192;
    private static final int MAX_LOCKS_PER_TRANSACTION = 196;
    private static final int BLOCK_SIZE = 216;
    private static final int END = 220;

    /** Far above what Postgres starts with. */
    private static final int CREDIBLE_MAX = 1 << 20;

    /** What Postgres takes where nothing is written. */
    private static final Map<String, String> STANDARD = Map.of(
            "max_connections", "100",
            "max_worker_processes", "8",
            "max_wal_senders", "10",
            "max_prepared_transactions", "0",
            "max_locks_per_transaction", "64");

    static String standard(String name) {
        return STANDARD.getOrDefault(name, "");
    }

    /** Reads the file; what cannot be it needs nothing. */
    static RecoveryNeeds parse(byte[] bytes) {
        ByteBuffer control = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.length < END || control.getInt(BLOCK_SIZE) != 8192) {
            return NONE;
        }
        Map<String, Integer> least = Map.of(
                "max_connections", control.getInt(MAX_CONNECTIONS),
                "max_worker_processes", control.getInt(MAX_WORKER_PROCESSES),
                "max_wal_senders", control.getInt(MAX_WAL_SENDERS),
                "max_prepared_transactions", control.getInt(MAX_PREPARED_TRANSACTIONS),
                "max_locks_per_transaction", control.getInt(MAX_LOCKS_PER_TRANSACTION));
        // A compute wrote the file: what is beyond reason is not taken from it.
        return least.values().stream().allMatch(value -> value >= 0 && value <= CREDIBLE_MAX)
                ? new RecoveryNeeds(least)
                : NONE;
    }
}
