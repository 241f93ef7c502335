package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PostgresConfigurationTest {
    @Test
    void what_the_storage_relies_on_is_on_the_command_line() {
        List<String> arguments = PostgresConfiguration.arguments(18, "ep-a", "/run/ep-a");

        assertThat(arguments)
                .contains(
                        "listen_addresses=",
                        "full_page_writes=off",
                        "wal_recycle=off",
                        "restart_after_crash=off",
                        "recovery_init_sync_method=syncfs",
                        "io_method=worker",
                        "unix_socket_directories=/run/ep-a");
    }

    @Test
    void older_servers_are_not_given_settings_they_do_not_know() {
        assertThat(PostgresConfiguration.arguments(15, "ep-a", "/run/ep-a"))
                .noneMatch(argument -> argument.startsWith("io_method"));
    }

    @Test
    void the_smallest_compute_has_the_buffers_of_stock_postgres() {
        String text = PostgresConfiguration.postgresqlConf(18, ComputeSettings.defaults(), Set.of());

        assertThat(text).contains("shared_buffers = '128MB'\n").contains("max_connections = '100'\n");
    }

    @Test
    void memory_and_connections_follow_the_size() {
        String text = PostgresConfiguration.postgresqlConf(18, new ComputeSettings(2, Map.of()), Set.of());

        assertThat(text)
                .contains("shared_buffers = '1024MB'\n")
                .contains("effective_cache_size = '6144MB'\n")
                .contains("max_connections = '200'\n");
    }

    @Test
    void settings_of_the_owner_go_before_ours_and_are_quoted() {
        String text = PostgresConfiguration.postgresqlConf(
                18, new ComputeSettings(0.25, Map.of("work_mem", "64MB", "myapp.motto", "it's \\ fine")), Set.of());

        assertThat(text).contains("work_mem = '64MB'\n").contains("myapp.motto = 'it''s \\\\ fine'\n");
    }

    @Test
    void a_setting_that_postgres_does_not_start_with_is_not_in_the_file_either() {
        String text = PostgresConfiguration.postgresqlConf(
                18, new ComputeSettings(0.25, Map.of("work_mem", "plenty")), Set.of("work_mem"));

        assertThat(text).doesNotContain("\nwork_mem = ").contains("wal_level = 'replica'\n");
    }

    @Test
    void refuses_settings_that_would_break_the_storage() {
        assertThatThrownBy(() -> new ComputeSettings(1, Map.of("full_page_writes", "on")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("full_page_writes");
    }

    @Test
    void refuses_names_and_values_that_would_add_lines() {
        assertThatThrownBy(() -> new ComputeSettings(1, Map.of("a = 1\nport", "1")))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new ComputeSettings(1, Map.of("work_mem", "1MB'\nport = 1")))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void only_the_admin_comes_in_without_a_password() {
        assertThat(PostgresConfiguration.pgHba().lines().filter(line -> !line.startsWith("#")))
                .containsExactly(
                        "local all         coppice_admin peer map=coppice",
                        "local replication coppice_admin peer map=coppice",
                        "local all         all           scram-sha-256",
                        "local replication all           scram-sha-256");
        assertThat(PostgresConfiguration.pgIdent("root")).endsWith("coppice \"root\" coppice_admin\n");
    }

    @Test
    void reads_the_major_version_of_releases_and_development_versions() {
        assertThat(PostgresConfiguration.majorVersion("postgres (PostgreSQL) 18.6"))
                .isEqualTo(18);
        assertThat(PostgresConfiguration.majorVersion("postgres (PostgreSQL) 15.9 (Debian 15.9-1)"))
                .isEqualTo(15);
        assertThat(PostgresConfiguration.majorVersion("postgres (PostgreSQL) 19devel"))
                .isEqualTo(19);
    }
}
