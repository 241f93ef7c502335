package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What teams do with branches, with the programs they have. One server; each story has a project of its own. */
class WorkflowStoriesIT {
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private static ServerProcess server;

    @BeforeAll
    static void start() throws IOException {
        server = ServerProcess.start("wfs", "recovery:", "  branch_seconds: 600", "  project_seconds: 600");
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    /** A project whose branch main has a shop in it. */
    private static final class Team {
        final String id;
        final String main;

        Team(String name) {
            JsonNode made = JsonMapper.shared()
                    .readTree(server.cli("projects", "create", "--name", name, "-o", "json")
                            .text());
            id = made.at("/project/id").asString();
            main = uri("main");
            sql(main, """
                    create table customer (id int primary key, mail text unique);
                    create table orders (id serial primary key, customer int references customer, total numeric);
                    insert into customer select g, 'c' || g || '@example.com' from generate_series(1, 100) g;
                    insert into orders (customer, total) select g, g * 10 from generate_series(1, 100) g""");
        }

        Programs.Result cli(String... arguments) {
            List<String> all = new ArrayList<>(List.of(arguments));
            all.addAll(List.of("--project-id", id));
            return server.cli(all.toArray(String[]::new));
        }

        String uri(String branch) {
            return cli("connection-string", branch).text();
        }
    }

    private static String sql(String uri, String statements) {
        return Programs.psql(uri, statements).text();
    }

    private static String count(String uri, String table) {
        return sql(uri, "select count(*) from " + table);
    }

    @Test
    void every_developer_has_a_branch_and_nobody_sees_what_another_one_does() {
        Team team = new Team("developers");
        for (String name : List.of("alice", "bob", "carol")) {
            team.cli("branches", "create", "--name", "dev-" + name).text();
        }
        sql(team.uri("dev-alice"), "alter table orders add column note text; update orders set note = 'alice'");
        sql(team.uri("dev-bob"), "delete from orders where id > 50");
        assertThat(count(team.uri("dev-alice"), "orders where note = 'alice'")).isEqualTo("100");
        assertThat(count(team.uri("dev-bob"), "orders")).isEqualTo("50");
        assertThat(count(team.uri("dev-carol"), "orders")).isEqualTo("100");
        assertThat(count(team.main, "orders")).isEqualTo("100");
        assertThat(team.cli("branches", "schema-diff", "main", "dev-alice").text())
                .contains("+    note text");
        assertThat(team.cli("branches", "schema-diff", "main", "dev-bob").text())
                .contains("The schemas are the same.");
    }

    @Test
    void a_preview_lives_as_long_as_its_pull_request_and_a_forgotten_one_goes_by_itself() {
        Team team = new Team("previews");
        team.cli("branches", "create", "--name", "preview-pr-142").text();
        String preview = team.uri("preview-pr-142");
        sql(preview, "create table feature (n int)");
        // Closed by mistake, opened again: the same address, the same data.
        team.cli("branches", "delete", "preview-pr-142").text();
        assertThat(Programs.psql(preview, "select 1").exitCode()).isNotZero();
        team.cli("branches", "recover", "preview-pr-142").text();
        assertThat(count(preview, "feature")).isEqualTo("0");
        team.cli("branches", "delete", "preview-pr-142", "--hard").text();
        assertThat(team.cli("branches", "recover", "preview-pr-142").exitCode()).isEqualTo(1);

        String soon =
                Instant.now().truncatedTo(ChronoUnit.SECONDS).plusSeconds(3).toString();
        team.cli("branches", "create", "--name", "preview-pr-143", "--expires-at", soon)
                .text();
        await().atMost(PATIENCE)
                .until(() -> !team.cli("branches", "list").text().contains("preview-pr-143"));
    }

    @Test
    void every_test_run_begins_with_the_same_rows_and_leaves_nothing() {
        Team team = new Team("tests");
        for (int build = 1; build <= 3; build++) {
            String name = "ci-" + build;
            team.cli("branches", "create", "--name", name).text();
            String uri = team.uri(name);
            assertThat(count(uri, "orders")).isEqualTo("100");
            sql(uri, "truncate orders; insert into customer values (1000 + " + build + ", 'test')");
            team.cli("branches", "delete", name, "--hard").text();
        }
        assertThat(count(team.main, "customer")).isEqualTo("100");
        assertThat(team.cli("branches", "list").text().lines()).hasSize(2);
    }

    @Test
    void staging_begins_every_night_with_productions_rows_behind_the_same_address() {
        Team team = new Team("staging");
        team.cli("branches", "create", "--name", "staging").text();
        String staging = team.uri("staging");
        for (int night = 1; night <= 2; night++) {
            sql(staging, "delete from orders; create table experiment (n int)");
            sql(team.main, "insert into orders (customer, total) values (1, 1)");
            team.cli("branches", "reset", "staging", "--parent").text();
            assertThat(count(staging, "orders")).isEqualTo(Integer.toString(100 + night));
            assertThat(count(staging, "pg_class where relname = 'experiment'")).isEqualTo("0");
        }
    }

    @Test
    void production_is_protected_and_who_can_log_in_to_a_branch_of_it_cannot_log_in_to_production() {
        Team team = new Team("protected");
        team.cli("branches", "protect", "main").text();
        team.cli("branches", "create", "--name", "dev").text();
        String dev = team.uri("dev");
        assertThat(count(dev, "orders")).isEqualTo("100");
        assertThat(password(dev)).isNotEqualTo(password(team.main));
        assertThat(Programs.psql(team.main.replace(password(team.main), password(dev)), "select 1")
                        .error())
                .contains("password authentication failed");
        assertThat(Programs.psql(dev.replace(password(dev), password(team.main)), "select 1")
                        .error())
                .contains("password authentication failed");
        assertThat(team.cli("branches", "delete", "main").exitCode()).isEqualTo(1);
        assertThat(server.cli("projects", "delete", team.id).exitCode()).isEqualTo(1);
        assertThat(count(team.main, "orders")).isEqualTo("100");
    }

    private static String password(String uri) {
        return uri.substring(uri.indexOf(':', "postgresql://".length()) + 1, uri.indexOf('@'));
    }

    @Test
    void an_agent_takes_a_checkpoint_breaks_everything_and_goes_back() {
        Team team = new Team("agent");
        team.cli("snapshots", "create", "main", "--name", "before-migration").text();
        String then = sql(
                team.main, "select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')");
        sql(team.main, "alter table orders drop column total; drop table customer cascade; delete from orders");
        // A look at the state before, without changing anything.
        assertThat(sql(team.uri("main@" + then), "select sum(total) from orders"))
                .isEqualTo("50500");
        team.cli("snapshots", "restore", "before-migration", "--name", "look").text();
        assertThat(count(team.uri("look"), "customer")).isEqualTo("100");
        team.cli("snapshots", "finalize", "look", "--old-name", "bad-migration").text();
        assertThat(count(team.main, "customer")).isEqualTo("100");
        assertThat(sql(team.main, "select sum(total) from orders")).isEqualTo("50500");
        assertThat(count(team.uri("bad-migration"), "orders")).isEqualTo("0");
        assertThat(team.cli("branches", "list").text()).contains("main *");
    }

    @Test
    void a_baseline_has_the_tables_and_none_of_the_rows() {
        Team team = new Team("baseline");
        team.cli("branches", "create", "--name", "baseline", "--schema-only").text();
        String baseline = team.uri("baseline");
        assertThat(count(baseline, "customer")).isEqualTo("0");
        assertThat(sql(
                        baseline,
                        "insert into customer values (1, 'a'); insert into orders (customer) values (1) returning id"))
                .isEqualTo("1");
        assertThat(Programs.psql(baseline, "insert into orders (customer) values (2)")
                        .error())
                .contains("violates foreign key");
        assertThat(team.cli("branches", "schema-diff", "main", "baseline").text())
                .contains("The schemas are the same.");
        team.cli("branches", "create", "--name", "dev-dave", "--parent", "baseline")
                .text();
        assertThat(count(team.uri("dev-dave"), "customer")).isEqualTo("1");
        assertThat(team.cli("branches", "reset", "baseline", "--parent").exitCode())
                .isNotZero();
    }

    @Test
    void every_customer_has_a_project_and_one_who_comes_back_within_days_finds_everything() {
        Team acme = new Team("customer-acme");
        Team initech = new Team("customer-initech");
        sql(acme.main, "delete from orders where id > 7");
        assertThat(count(initech.main, "orders")).isEqualTo("100");
        assertThat(Programs.psql(acme.main.replace(password(acme.main), password(initech.main)), "select 1")
                        .error())
                .contains("password authentication failed");
        server.cli("projects", "delete", acme.id).text();
        assertThat(Programs.psql(acme.main, "select 1").exitCode()).isNotZero();
        server.cli("projects", "recover", acme.id).text();
        assertThat(count(acme.main, "orders")).isEqualTo("7");
    }
}
