package dev.coppice.compute;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** Which settings kept Postgres from starting, by its last words. */
final class BadSettings {
    private static final int VALUE_LENGTH_MIN = 3;

    private static final Pattern MEMORY = Pattern.compile(
            "shared memory|[Cc]annot allocate memory|huge pages|semaphore|shared_memory_size|out of memory");

    private static final Set<String> OF_MEMORY = Set.of(
            "shared_buffers",
            "max_connections",
            "max_locks_per_transaction",
            "max_pred_locks_per_transaction",
            "max_prepared_transactions",
            "max_worker_processes",
            "max_wal_senders",
            "max_replication_slots",
            "autovacuum_max_workers",
            "autovacuum_worker_slots",
            "wal_buffers",
            "huge_pages",
            "huge_page_size",
            "min_dynamic_shared_memory",
            "shared_memory_type",
            "dynamic_shared_memory_type",
            "transaction_buffers",
            "subtransaction_buffers",
            "multixact_member_buffers",
            "multixact_offset_buffers",
            "commit_timestamp_buffers",
            "serializable_buffers",
            "notify_buffers");

    private BadSettings() {}

    /**
     * The names to leave out at the next try; empty when there is nothing left to leave out.
     *
     * @param words the end of the log of the start that failed
     * @param altered by {@code ALTER SYSTEM}
     * @param asked by the API
     * @param leftOut already
     */
    static Set<String> find(String words, Map<String, String> altered, Map<String, String> asked, Set<String> leftOut) {
        for (Map<String, String> settings : List.of(altered, asked)) {
            Set<String> named = new HashSet<>();
            settings.forEach((name, value) -> {
                if (names(words, name) || quotes(words, value)) {
                    named.add(name);
                }
            });
            named.removeAll(leftOut);
            if (!named.isEmpty()) {
                return named;
            }
        }
        if (MEMORY.matcher(words).find()) {
            Set<String> large = new HashSet<>(altered.keySet());
            large.addAll(asked.keySet());
            large.retainAll(OF_MEMORY);
            large.removeAll(leftOut);
            if (!large.isEmpty()) {
                return large;
            }
        }
        // What is asked for by the API was tried when it was asked for.
        for (Map<String, String> settings : List.of(altered, asked)) {
            Set<String> all = new HashSet<>(settings.keySet());
            all.removeAll(leftOut);
            if (!all.isEmpty()) {
                return all;
            }
        }
        return Set.of();
    }

    private static boolean names(String words, String name) {
        return Pattern.compile("(?<![A-Za-z0-9_.])" + Pattern.quote(name) + "(?![A-Za-z0-9_.])")
                .matcher(words)
                .find();
    }

    /** A library, a file or a number that Postgres complains of. */
    private static boolean quotes(String words, String value) {
        for (String part : value.split("[,\\s]+", -1)) {
            if (part.length() >= VALUE_LENGTH_MIN && words.contains("\"" + part + "\"")) {
                return true;
            }
        }
        return value.length() >= VALUE_LENGTH_MIN && words.contains("\"" + value + "\"");
    }
}
