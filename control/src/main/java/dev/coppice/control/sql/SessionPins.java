package dev.coppice.control.sql;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a session of the control plane is sure of. The settings go with the first packet, where they win over {@code ALTER ROLE}, {@code
 * ALTER DATABASE} and {@code ALTER SYSTEM}, and count before anything of a user's could run.
 */
final class SessionPins {
    private static final int FIRST_WITH_DEBUG_PARALLEL_QUERY = 16;
    private static final int FIRST_WITH_EVENT_TRIGGERS = 17;
    private static final int FIRST_WITH_EXTENSION_PATH = 18;

    private SessionPins() {}

    /** The value of the driver's property {@code options} for a superuser. */
    static String ofSuperuser(int majorVersion) {
        Map<String, String> pins = common(majorVersion);
        // Code of a user: none is loaded, none fires.
        pins.put("session_preload_libraries", "");
        if (majorVersion >= FIRST_WITH_EVENT_TRIGGERS) {
            pins.put("event_triggers", "off");
        }
        pins.put("session_replication_role", "origin");
        pins.put("allow_system_table_mods", "off");
        pins.put("dynamic_library_path", "$libdir");
        if (majorVersion >= FIRST_WITH_EXTENSION_PATH) {
            pins.put("extension_control_path", "$system");
        }
        // As the storage wants it of every session; see the computes' own settings.
        pins.put("wal_init_zero", "on");
        pins.put("wal_recycle", "off");
        pins.put("lo_compat_privileges", "off");
        // Errors are errors.
        pins.put("zero_damaged_pages", "off");
        pins.put("ignore_checksum_failure", "off");
        pins.put("gin_fuzzy_search_limit", "0");
        pins.put("temp_file_limit", "-1");
        pins.put("commit_delay", "0");
        // What Coppice does is in its own log; an error may quote what a user stored.
        pins.put("lc_messages", "C");
        pins.put("log_min_messages", "log");
        pins.put("log_min_error_statement", "panic");
        pins.put("log_error_verbosity", "default");
        pins.put("log_statement", "none");
        pins.put("log_min_duration_statement", "-1");
        pins.put("log_min_duration_sample", "-1");
        pins.put("log_transaction_sample_rate", "0");
        pins.put("log_duration", "off");
        pins.put("log_temp_files", "-1");
        pins.put("log_lock_waits", "off");
        for (String part : new String[] {"log_parser_stats", "log_planner_stats", "log_executor_stats"}) {
            pins.put(part, "off");
        }
        pins.put("log_statement_stats", "off");
        pins.put("log_replication_commands", "off");
        pins.put("trace_sort", "off");
        pins.put("track_activities", "on");
        pins.put("track_counts", "on");
        pins.put("track_functions", "none");
        pins.put("backtrace_functions", "");
        // Of libraries that may be loaded; without them the names mean nothing.
        pins.put("pg_stat_statements.track", "none");
        pins.put("pg_stat_statements.track_utility", "off");
        pins.put("auto_explain.log_min_duration", "-1");
        pins.put("pgaudit.log", "none");
        return text(pins);
    }

    /** The same for any role: only what everybody may set. */
    static String ofRole(int majorVersion) {
        return text(common(majorVersion));
    }

    private static Map<String, String> common(int majorVersion) {
        Map<String, String> pins = new LinkedHashMap<>();
        // Names mean Postgres's own objects; a user's are written with their schema.
        pins.put("search_path", "pg_catalog,pg_temp");
        pins.put("role", "none");
        pins.put("local_preload_libraries", "");
        pins.put("statement_timeout", "0");
        pins.put("lock_timeout", "0");
        pins.put("idle_in_transaction_session_timeout", "0");
        pins.put("idle_session_timeout", "0");
        if (majorVersion >= FIRST_WITH_EVENT_TRIGGERS) {
            pins.put("transaction_timeout", "0");
        }
        pins.put("client_connection_check_interval", "0");
        pins.put("default_transaction_read_only", "off");
        pins.put("default_transaction_isolation", "read committed");
        pins.put("default_transaction_deferrable", "off");
        // A standby of a user's that is away must not stop Coppice's work.
        pins.put("synchronous_commit", "local");
        pins.put("row_security", "off");
        pins.put("default_tablespace", "");
        pins.put("temp_tablespaces", "");
        pins.put("default_table_access_method", "heap");
        pins.put("default_toast_compression", "pglz");
        pins.put("default_text_search_config", "pg_catalog.simple");
        pins.put("password_encryption", "scram-sha-256");
        if (majorVersion >= FIRST_WITH_DEBUG_PARALLEL_QUERY) {
            pins.put("createrole_self_grant", "");
            pins.put("debug_parallel_query", "off");
        }
        pins.put("check_function_bodies", "on");
        pins.put("jit", "off");
        // Texts are read and written in one way only.
        pins.put("IntervalStyle", "postgres");
        pins.put("bytea_output", "hex");
        pins.put("extra_float_digits", "3");
        pins.put("xmlbinary", "base64");
        pins.put("xmloption", "content");
        pins.put("array_nulls", "on");
        pins.put("quote_all_identifiers", "off");
        pins.put("standard_conforming_strings", "on");
        pins.put("backslash_quote", "safe_encoding");
        pins.put("transform_null_equals", "off");
        pins.put("lc_monetary", "C");
        pins.put("lc_numeric", "C");
        pins.put("lc_time", "C");
        pins.put("client_min_messages", "warning");
        pins.put("exit_on_error", "off");
        for (String printed : new String[] {"debug_print_parse", "debug_print_rewritten", "debug_print_plan"}) {
            pins.put(printed, "off");
        }
        return pins;
    }

    /** Postgres splits at blanks; a backslash keeps one (pg_split_opts). */
    private static String text(Map<String, String> pins) {
        return pins.entrySet().stream()
                .map(pin -> "-c " + pin.getKey() + "=" + pin.getValue().replace(" ", "\\ "))
                .collect(Collectors.joining(" "));
    }
}
