package dev.coppice.cli.api;

import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The server's messages name fields of the API; who typed an option looks for that. */
final class OptionNames {
    private static final Map<String, String> OPTIONS = Map.ofEntries(
            Map.entry("branch.name", "--name"),
            Map.entry("branch.expires_at", "--expires-at"),
            Map.entry("branch.parent_lsn", "--at"),
            Map.entry("branch.parent_timestamp", "--at"),
            Map.entry("project.name", "--name"),
            Map.entry("project.history_retention_seconds", "--history-retention"),
            Map.entry("project.branch.database_name", "--database"),
            Map.entry("project.branch.role_name", "--role"),
            Map.entry("endpoint.suspend_timeout_seconds", "--suspend-timeout"),
            Map.entry("suspend_timeout_seconds", "--suspend-timeout"),
            Map.entry("endpoint.autoscaling_limit_max_cu", "--size"),
            Map.entry("endpoint.autoscaling_limit_min_cu", "--size"),
            Map.entry("autoscaling_limit_max_cu", "--size"),
            Map.entry("autoscaling_limit_min_cu", "--size"),
            Map.entry("pg_settings", "--set"),
            Map.entry("snapshot.name", "--name"),
            Map.entry("expires_at", "--expires-at"),
            Map.entry("retention_seconds", "--retention"),
            Map.entry("preserve_under_name", "--preserve-under-name"),
            Map.entry("source_timestamp", "the time after @"),
            Map.entry("source_lsn", "the LSN after @"),
            Map.entry("role.name", "the role's name"),
            Map.entry("database.name", "the database's name"),
            Map.entry("database.owner_name", "--owner-name"),
            Map.entry("masking_indexes", "--indexes"),
            Map.entry("masking_rule_set", "--set"),
            Map.entry("masking_rules", "--rules"),
            Map.entry("max_lag_seconds", "--max-lag"));

    private static final Pattern FIELD = Pattern.compile("(?<![\\w.\"-])[a-z]+(?:[._][a-z]+)+(?![\\w.\"\\[])");

    private OptionNames() {}

    /** The message with options in place of the fields that have one. */
    static String in(String message) {
        return FIELD.matcher(message).replaceAll(OptionNames::option);
    }

    private static String option(MatchResult field) {
        return Matcher.quoteReplacement(OPTIONS.getOrDefault(field.group(), field.group()));
    }
}
