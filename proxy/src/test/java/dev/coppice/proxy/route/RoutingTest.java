package dev.coppice.proxy.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.Lsn;
import dev.coppice.common.SqlState;
import dev.coppice.proxy.FakeDirectory;
import dev.coppice.proxy.pgwire.PgErrorException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RoutingTest {
    private static final RoutedEndpoint MAIN = new RoutedEndpoint("ep-a", "main", "p1");
    private static final RoutedEndpoint DEV = new RoutedEndpoint("ep-b", "dev", "p1");
    private static final RoutedEndpoint OTHER_MAIN = new RoutedEndpoint("ep-c", "main", "p2");

    private final FakeDirectory directory = new FakeDirectory();
    private Optional<String> serverName = Optional.empty();

    RoutingTest() {
        directory.endpoints.addAll(List.of(MAIN, DEV));
        directory.defaults.add(MAIN);
    }

    private RouteRequest parse(String... parameters) {
        Map<String, String> map = new LinkedHashMap<>();
        map.put("user", "alice");
        for (int i = 0; i < parameters.length; i += 2) {
            map.put(parameters[i], parameters[i + 1]);
        }
        return RouteRequest.parse(map, serverName, List.of("localhost"));
    }

    private Route route(String... parameters) {
        return new Router(directory).route(parse(parameters));
    }

    private void assertError(SqlState state, String text, String... parameters) {
        assertThatThrownBy(() -> route(parameters))
                .isInstanceOfSatisfying(PgErrorException.class, e -> {
                    assertThat(e.error().state()).isEqualTo(state);
                    assertThat(e.error().hint()).isPresent();
                })
                .hasMessageContaining(text);
    }

    @Test
    void without_hints_the_default_branch_of_the_only_project() {
        assertThat(route("database", "shop")).isEqualTo(new Route.Known(MAIN));
        directory.defaults.add(OTHER_MAIN);
        assertError(SqlState.CONNECTION_REJECTED, "several projects");
        directory.defaults.clear();
        assertError(SqlState.CONNECTION_REJECTED, "no project");
    }

    @Test
    void options_name_an_endpoint_in_every_spelling() {
        for (String options : List.of(
                "endpoint=ep-b",
                "project=ep-b",
                "-c endpoint=ep-b",
                "-cendpoint=ep-b",
                "--endpoint=ep-b",
                "  endpoint=ep-b  ",
                "endpoint=ep\\-b")) {
            assertThat(route("options", options)).as(options).isEqualTo(new Route.Known(DEV));
        }
    }

    @Test
    void the_compute_gets_the_other_options_as_they_were_written() {
        assertThat(parse("options", "-c search_path=a\\ b endpoint=ep-b --work_mem=1MB -c endpoint=ep-b -c")
                        .computeParameters())
                .containsEntry("options", "-c search_path=a\\ b --work_mem=1MB -c");
        assertThat(parse("options", "endpoint=ep-b").computeParameters()).doesNotContainKey("options");
        assertThat(parse("options", "-c  geqo=off").computeParameters()).containsEntry("options", "-c  geqo=off");
    }

    @Test
    void the_server_name_counts_below_our_domains_and_for_endpoint_ids_everywhere() {
        serverName = Optional.of("DEV.localhost");
        assertThat(route()).isEqualTo(new Route.Known(DEV));
        serverName = Optional.of("ep-b.db.example.org");
        assertThat(route()).isEqualTo(new Route.Known(DEV));
        serverName = Optional.of("dev.example.org");
        assertThat(route()).isEqualTo(new Route.Known(MAIN));
        serverName = Optional.of("localhost");
        assertThat(route()).isEqualTo(new Route.Known(MAIN));
    }

    @Test
    void the_database_name_may_end_in_a_branch_or_endpoint() {
        assertThat(route("database", "shop@dev")).isEqualTo(new Route.Known(DEV));
        assertThat(route("database", "shop@ep-b")).isEqualTo(new Route.Known(DEV));
        assertThat(parse("database", "shop@dev").computeParameters()).containsEntry("database", "shop");
        assertThat(parse("database", "@dev").computeParameters()).doesNotContainKey("database");
        assertThat(parse("database", "@dev").database()).isEqualTo("alice");
    }

    @Test
    void a_database_name_may_contain_an_at_sign() {
        assertThat(parse("database", "a@b@").computeParameters()).containsEntry("database", "a@b");
        assertThat(route("database", "a@b@")).isEqualTo(new Route.Known(MAIN));
        assertThat(parse("user", "me@example.org", "database", "me@example.org").hints())
                .isEmpty();
    }

    @Test
    void hints_that_agree_are_one() {
        serverName = Optional.of("ep-b.localhost");
        assertThat(route("options", "endpoint=ep-b", "database", "shop@dev")).isEqualTo(new Route.Known(DEV));
    }

    @Test
    void two_endpoints_are_an_error_whether_they_exist_or_not() {
        assertError(
                SqlState.PROTOCOL_VIOLATION,
                "contradictory destinations: \"ep-a\" in options, \"ep-b\" in options",
                "options",
                "endpoint=ep-a endpoint=ep-b");
        serverName = Optional.of("ep-nowhere.localhost");
        assertError(SqlState.PROTOCOL_VIOLATION, "contradictory", "options", "endpoint=ep-a");
        assertError(SqlState.PROTOCOL_VIOLATION, "contradictory", "database", "shop@ep-none");
        serverName = Optional.of("ep-a-pooler.localhost");
        assertThat(route("options", "endpoint=ep-a")).isEqualTo(new Route.Known(MAIN));
    }

    @Test
    void whether_names_belong_together_is_told_to_nobody() {
        Route unknown = new Route.Unknown("ep-a");
        assertThat(route("options", "endpoint=ep-a", "database", "shop@dev")).isEqualTo(unknown);
        assertThat(route("options", "endpoint=ep-a", "database", "shop@nowhere"))
                .isEqualTo(unknown);
        assertThat(route("options", "endpoint=ep-x", "database", "shop@dev")).isEqualTo(new Route.Unknown("ep-x"));
    }

    @Test
    void a_branch_name_of_two_projects_needs_an_endpoint_beside_it() {
        directory.endpoints.add(OTHER_MAIN);
        // Strangers are not told which names there are, and how often.
        assertThat(route("database", "x@main")).isEqualTo(new Route.Unknown("main"));
        assertThat(route("options", "endpoint=ep-c", "database", "x@main")).isEqualTo(new Route.Known(OTHER_MAIN));
    }

    private static final Moment LSN = new Moment.AtLsn(Lsn.parse("0/1A2B3C"));
    private static final Moment TIME = new Moment.AtTime(Instant.parse("2026-01-02T03:04:05Z"));

    @Test
    void a_past_moment_is_the_last_part_of_the_database_name() {
        assertThat(route("database", "shop@dev@0/1A2B3C")).isEqualTo(new Route.Known(directory.at(DEV, LSN)));
        assertThat(route("database", "shop@dev@2026-01-02T03:04:05Z"))
                .isEqualTo(new Route.Known(directory.at(DEV, TIME)));
        assertThat(route("database", "shop@2026-01-02T04:04:05+01:00"))
                .isEqualTo(new Route.Known(directory.at(MAIN, TIME)));
        assertThat(route("options", "endpoint=ep-b", "database", "shop@0/1a2b3c"))
                .isEqualTo(new Route.Known(directory.at(DEV, LSN)));
        assertThat(parse("database", "shop@dev@0/1A2B3C").computeParameters()).containsEntry("database", "shop");
        // A database that has an @ in its name still does, and a user named like a moment is not at one.
        assertThat(parse("database", "a@b@dev").moment()).isEmpty();
        assertThat(parse("database", "a@b@dev").computeParameters()).containsEntry("database", "a@b");
        assertThat(parse("user", "me@0/1", "database", "me@0/1").moment()).isEmpty();
    }

    @Test
    void a_past_moment_is_an_option_as_neons_proxy_reads_it() {
        assertThat(route("options", "endpoint=ep-b neon_lsn:0/1A2B3C"))
                .isEqualTo(new Route.Known(directory.at(DEV, LSN)));
        assertThat(route("options", "neon_timestamp:2026-01-02T03:04:05Z", "database", "x@dev"))
                .isEqualTo(new Route.Known(directory.at(DEV, TIME)));
        assertThat(parse("options", "-c geqo=off neon_lsn:0/1 neon_endpoint_type:read_write")
                        .computeParameters())
                .containsEntry("options", "-c geqo=off");
        assertThat(parse("options", "neon_lsn:0/1").computeParameters()).doesNotContainKey("options");
        assertThat(parse("options", "neon_lsn:0/1A2B3C", "database", "x@dev@0/1a2b3c")
                        .moment())
                .contains(LSN);
    }

    @Test
    void a_moment_that_is_malformed_unknown_or_contradictory_is_an_error() {
        SqlState invalid = SqlState.INVALID_PARAMETER_VALUE;
        assertError(invalid, "\"garbage\" in neon_lsn is not a moment", "options", "neon_lsn:garbage");
        assertError(invalid, "neon_lsn", "options", "neon_lsn:");
        assertError(invalid, "neon_timestamp", "options", "neon_timestamp:2026-01-02");
        assertError(invalid, "the database name", "database", "shop@dev@2026-01-02");
        assertError(invalid, "the database name", "database", "shop@dev@0/123456789");
        assertError(invalid, "neon_timestmap", "options", "neon_timestmap:2026-01-02T03:04:05Z");
        assertError(
                SqlState.PROTOCOL_VIOLATION, "contradictory moments: 0/1, 0/2", "options", "neon_lsn:0/1 neon_lsn:0/2");
        assertError(
                SqlState.PROTOCOL_VIOLATION,
                "contradictory moments",
                "options",
                "neon_lsn:0/1",
                "database",
                "x@dev@2026-01-02T03:04:05Z");
    }

    @Test
    void a_moment_of_an_unknown_branch_is_as_unknown_as_the_branch() {
        assertThat(route("database", "shop@nowhere@0/1")).isEqualTo(new Route.Unknown("nowhere"));
    }

    @Test
    void an_unknown_name_is_no_error_here() {
        assertThat(route("database", "shop@nowhere")).isEqualTo(new Route.Unknown("nowhere"));
        assertThat(route("options", "endpoint=ep-nowhere")).isEqualTo(new Route.Unknown("ep-nowhere"));
        // A branch name is not an endpoint id.
        assertThat(route("options", "endpoint=dev")).isEqualTo(new Route.Unknown("dev"));
    }

    @Test
    void an_endpoint_without_a_name_is_an_error() {
        assertError(SqlState.PROTOCOL_VIOLATION, "has no name", "options", "endpoint=");
    }

    @Test
    void a_user_is_required() {
        assertThatThrownBy(() -> RouteRequest.parse(Map.of("database", "shop"), serverName, List.of()))
                .isInstanceOf(PgErrorException.class)
                .hasMessageContaining("no PostgreSQL user name");
    }

    @Test
    void protocol_options_are_named_and_not_passed_on() {
        assertThat(parse("_pq_.x", "1").computeParameters()).doesNotContainKey("_pq_.x");
        assertThat(RouteRequest.protocolOptions(Map.of("_pq_.x", "1", "user", "a")))
                .containsExactly("_pq_.x");
    }
}
