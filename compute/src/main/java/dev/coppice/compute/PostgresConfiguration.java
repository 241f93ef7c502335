package dev.coppice.compute;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The configuration of a compute's Postgres. What the storage relies on goes on the command line, where neither {@code
 * postgresql.conf} nor {@code ALTER SYSTEM} can change it; the rest is a generated {@code postgresql.conf} that both may
 * override.
 */
final class PostgresConfiguration {
    /** The internal superuser; logs in by {@code peer} from the user that runs the server, and nobody else does. */
    static final String ADMIN_ROLE = "coppice_admin";

    static final int PORT = 5432;

    private static final int FIRST_VERSION_WITH_RECOVERY_PREFETCH = 15;
    private static final int FIRST_VERSION_WITH_IO_METHOD = 18;
    private static final int SHARED_BUFFERS_MEGABYTES_MIN = 128;
    private static final int SHARED_BUFFERS_MEGABYTES_MAX = 8192;
    private static final int CONNECTIONS_MIN = 100;
    private static final int CONNECTIONS_MAX = 4000;

    /** As many as stock Postgres: each hundred more takes 3 ms of every wake (docs/decisions/036). */
    private static final int CONNECTIONS_PER_UNIT = 100;

    private static final int SETTING_LENGTH_MAX = 4096;

    private static final Pattern SETTING_NAME = Pattern.compile("[a-z_][a-z0-9_]{0,62}(\\.[a-z_][a-z0-9_]{0,62})?");

    /** Settings that only Coppice decides, because the storage, the proxy or the lifecycle break otherwise. */
    private static final Set<String> RESERVED = Set.of(
            "listen_addresses",
            "port",
            "unix_socket_directories",
            "unix_socket_group",
            "unix_socket_permissions",
            "data_directory",
            "config_file",
            "hba_file",
            "ident_file",
            "external_pid_file",
            "cluster_name",
            "full_page_writes",
            "wal_recycle",
            "wal_init_zero",
            "restart_after_crash",
            "recovery_init_sync_method",
            "io_method",
            "data_sync_retry",
            "fsync",
            "ssl",
            "logging_collector",
            "log_destination",
            "include",
            "include_dir",
            "include_if_exists");

    private PostgresConfiguration() {}

    /**
     * Checks a setting asked for by an owner.
     *
     * @throws IllegalArgumentException for one that Coppice decides, and for what no setting can look like
     */
    static void requireAllowed(String name, String value) {
        if (!SETTING_NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("not the name of a Postgres setting: \"" + name + "\"");
        }
        if (RESERVED.contains(name)) {
            throw new IllegalArgumentException("the setting \"" + name + "\" is decided by Coppice");
        }
        if (value.length() > SETTING_LENGTH_MAX || value.chars().anyMatch(c -> c < ' ')) {
            throw new IllegalArgumentException("the value of \"" + name + "\" is too long or has control characters");
        }
    }

    /** The arguments of {@code postgres} after {@code -D}: what nothing inside the database may change. */
    static List<String> arguments(int majorVersion, String endpointId, String socketDirectory) {
        Map<String, String> fixed = new LinkedHashMap<>();
        fixed.put("listen_addresses", "");
        fixed.put("port", Integer.toString(PORT));
        fixed.put("unix_socket_directories", socketDirectory);
        fixed.put("unix_socket_permissions", "0777");
        fixed.put("unix_socket_group", "");
        fixed.put("cluster_name", endpointId);
        // Relative to the data directory. What decides who may log in is Coppice's.
        fixed.put("hba_file", "pg_hba.conf");
        fixed.put("ident_file", "pg_ident.conf");
        fixed.put("external_pid_file", "");
        fixed.put("ssl", "off");
        // The page service writes 8 kB atomically, so torn pages cannot come back.
        fixed.put("full_page_writes", "off");
        // History must survive: a segment that is no longer needed moves to the archive instead of being overwritten.
        fixed.put("wal_recycle", "off");
        // A commit's fdatasync must not have to grow the file.
        fixed.put("wal_init_zero", "on");
        // Only a new epoch may continue after a crash.
        fixed.put("restart_after_crash", "off");
        // The default opens every file, which would hydrate the whole branch; the interposer answers syncfs cheaply.
        fixed.put("recovery_init_sync_method", "syncfs");
        fixed.put("fsync", "on");
        fixed.put("logging_collector", "off");
        fixed.put("log_destination", "stderr");
        if (majorVersion >= FIRST_VERSION_WITH_IO_METHOD) {
            // io_uring goes past the interposer.
            fixed.put("io_method", "worker");
        }
        List<String> arguments = new ArrayList<>();
        fixed.forEach((name, value) -> {
            arguments.add("-c");
            arguments.add(name + "=" + value);
        });
        return arguments;
    }

    /**
     * The text of {@code postgresql.conf}.
     *
     * @param leftOut names of settings that Postgres does not start with: a value that it refuses in a file is refused even where another stands for it
     */
    static String postgresqlConf(int majorVersion, ComputeSettings settings, Set<String> leftOut) {
        StringBuilder text = new StringBuilder(1024);
        text.append(
                "# Written by Coppice at every start of the compute; ALTER SYSTEM survives, changes here do not.\n");
        lines(majorVersion, settings).forEach((name, value) -> {
            if (!leftOut.contains(name)) {
                text.append(name).append(" = ").append(quote(value)).append('\n');
            }
        });
        return text.toString();
    }

    /** What is in {@code postgresql.conf}, by name. */
    static Map<String, String> lines(int majorVersion, ComputeSettings settings) {
        double units = settings.computeUnits();
        int memory = (int) (units * ComputeSettings.MEGABYTES_PER_UNIT);
        Map<String, String> lines = new LinkedHashMap<>();
        lines.put("max_connections", Integer.toString(standardConnections(units)));
        lines.put(
                "shared_buffers", clamp(memory / 8, SHARED_BUFFERS_MEGABYTES_MIN, SHARED_BUFFERS_MEGABYTES_MAX) + "MB");
        lines.put("effective_cache_size", memory / 4 * 3 + "MB");
        lines.put("maintenance_work_mem", Math.max(64, memory / 16) + "MB");
        lines.put("huge_pages", "off");
        lines.put("wal_level", "replica");
        // Without full-page images a checkpoint costs no extra WAL; a short distance makes a crash, and a branch at a
        // past
        // moment of a busy parent, recover soon.
        lines.put("max_wal_size", "1GB");
        lines.put("checkpoint_timeout", "1min");
        lines.put("log_checkpoints", "off");
        if (majorVersion >= FIRST_VERSION_WITH_RECOVERY_PREFETCH) {
            // How far recovery looks ahead: what it names is fetched in few large requests.
            lines.put("wal_decode_buffer_size", "4MB");
            lines.put("maintenance_io_concurrency", "128");
        }
        if (majorVersion >= FIRST_VERSION_WITH_IO_METHOD) {
            // As many blocks as one request to the page service can have.
            lines.put("io_max_combine_limit", "1MB");
            lines.put("io_combine_limit", "1MB");
        }
        lines.put("password_encryption", "scram-sha-256");
        lines.put("log_line_prefix", "%m [%p] %q%u@%d ");
        lines.put("log_timezone", "UTC");
        lines.put("timezone", "UTC");
        lines.put("datestyle", "iso, mdy");
        lines.put("default_text_search_config", "pg_catalog.english");
        new TreeMap<>(settings.postgres()).forEach(lines::put);
        return lines;
    }

    /** How many clients Postgres lets in at once, as far as its owner's settings can be understood. */
    static int maxConnections(ComputeSettings settings) {
        String wanted = settings.postgres().getOrDefault("max_connections", "");
        return wanted.matches("[0-9]{1,6}") ? Integer.parseInt(wanted) : standardConnections(settings.computeUnits());
    }

    private static int standardConnections(double units) {
        return clamp((int) (units * CONNECTIONS_PER_UNIT), CONNECTIONS_MIN, CONNECTIONS_MAX);
    }

    /** The text of {@code pg_hba.conf}: the admin by the operating system's word, everybody else by password. */
    static String pgHba() {
        return """
                # Written by Coppice at every start of the compute.
                local all         %1$s peer map=coppice
                local replication %1$s peer map=coppice
                local all         all           scram-sha-256
                local replication all           scram-sha-256
                """.formatted(ADMIN_ROLE);
    }

    /** The text of {@code pg_ident.conf}: the operating system user that runs the server is the admin. */
    static String pgIdent(String serverUser) {
        return "# Written by Coppice at every start of the compute.\ncoppice \"%s\" %s\n"
                .formatted(serverUser.replace("\"", "\"\""), ADMIN_ROLE);
    }

    /** Single quotes as in guc-file.l: a quote is doubled, a backslash escapes. */
    private static String quote(String value) {
        return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'";
    }

    private static int clamp(int value, int min, int max) {
        return Math.clamp(value, min, max);
    }

    /** {@code 18} of {@code postgres (PostgreSQL) 18.6}, also of development versions such as {@code 19devel}. */
    static int majorVersion(String versionText) {
        java.util.regex.Matcher matcher =
                Pattern.compile("\\(PostgreSQL\\) (\\d+)").matcher(versionText);
        if (!matcher.find()) {
            throw new ComputeException("cannot tell the version of Postgres from \"" + versionText.strip() + "\"");
        }
        return Integer.parseInt(matcher.group(1).toLowerCase(Locale.ROOT));
    }
}
