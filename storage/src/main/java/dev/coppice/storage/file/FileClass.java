package dev.coppice.storage.file;

import java.util.regex.Pattern;

/** How the files of a data directory are treated ({@code docs/page-protocol.md} section 2). */
public enum FileClass {
    PAGED,
    WHOLE,
    WAL,
    LOCAL;

    private static final Pattern RELATION = Pattern.compile("(base/[0-9]+|global)/[0-9]+(_fsm|_vm|_init)?(\\.[0-9]+)?");
    private static final Pattern SLRU =
            Pattern.compile("(pg_xact|pg_multixact/members|pg_multixact/offsets|pg_commit_ts)/[0-9A-F]+");
    private static final Pattern LOCAL_DIRECTORY =
            Pattern.compile("(pg_notify|pg_subtrans|pg_serial|pg_snapshots|pg_dynshmem|pg_stat_tmp|log)/.*");
    private static final Pattern LOCAL_NAME = Pattern.compile("(pgsql_tmp.*|t[0-9]+_.*|pg_internal\\.init.*|.*\\.tmp"
            + "|postmaster\\..*|postgresql\\.conf|pg_hba\\.conf|pg_ident\\.conf|current_logfiles|.*\\.pid)");

    /** Files by which somebody talks to a postmaster; below the data directory only. */
    private static final Pattern LOCAL_SIGNAL = Pattern.compile("promote|fallback_promote|logrotate|recovery\\.conf"
            + "|recovery\\.done|recovery\\.signal|standby\\.signal|backup_label|tablespace_map");

    public static FileClass of(String path) {
        String name = path.substring(path.lastIndexOf('/') + 1);
        if (path.equals("pg_wal") || path.startsWith("pg_wal/")) {
            return WAL;
        }
        if (LOCAL_DIRECTORY.matcher(path).matches()
                || LOCAL_NAME.matcher(name).matches()
                || LOCAL_SIGNAL.matcher(path).matches()
                || path.contains("/pgsql_tmp")) {
            return LOCAL;
        }
        return RELATION.matcher(path).matches() || SLRU.matcher(path).matches() ? PAGED : WHOLE;
    }
}
