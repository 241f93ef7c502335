package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** What teams do with the unmodified neonctl: differences, expiry, snapshots, recovery, and a directory linked to a branch. */
class NeonctlWorkflowsIT {
    private final String inThreeDays = Instant.now()
            .plus(3, ChronoUnit.DAYS)
            .truncatedTo(ChronoUnit.SECONDS)
            .toString();

    private static ServerProcess server;
    private static Neonctl neon;
    private static int projects;

    private String project;

    @BeforeAll
    static void start() throws IOException {
        Neonctl.install();
        server = ServerProcess.start("neonwf", "recovery:", "  branch_seconds: 600", "  project_seconds: 600");
        neon = new Neonctl(server);
    }

    @AfterAll
    static void stop() throws IOException {
        if (server != null) {
            server.close();
        }
    }

    @BeforeEach
    void makeProject() {
        project = neon.json("projects", "create", "--name", "team-" + ++projects)
                .at("/project/id")
                .asString();
        neon.run("branches", "create", "--name", "dev", "--project-id", project).text();
    }

    private String sql(String branch, String statements) {
        return Neonctl.sql(
                neon.run("connection-string", branch, "--project-id", project).text(), statements);
    }

    private String table(String... arguments) {
        return neon.run(inProject(arguments)).text();
    }

    private JsonNode json(String... arguments) {
        return neon.json(inProject(arguments));
    }

    private String refused(String... arguments) {
        return neon.refused(inProject(arguments));
    }

    private String[] inProject(String... arguments) {
        String[] all = java.util.Arrays.copyOf(arguments, arguments.length + 2);
        all[arguments.length] = "--project-id";
        all[arguments.length + 1] = project;
        return all;
    }

    @Test
    void schemas_of_branches_and_of_moments_are_compared() {
        String before = sql("dev", "select pg_current_wal_insert_lsn()");
        sql("dev", "create table invoice (id int primary key)");
        String added = "+CREATE TABLE public.invoice (";
        assertThat(table("branches", "schema-diff", "main", "dev")).contains(added);
        assertThat(table("branches", "schema-diff", "dev", "^parent")).contains("CREATE TABLE public.invoice (");
        assertThat(table("branches", "schema-diff", "main", "dev@" + before)).doesNotContain("invoice");
        assertThat(table("branches", "schema-diff", "dev", "^self@" + before)).contains("public.invoice");
        assertThat(table("branches", "schema-diff", "main", "main")).doesNotContain("CREATE");
        assertThat(table("branches", "schema-diff", "main", "dev", "--output", "json"))
                .contains(added);
        assertThat(refused("branches", "schema-diff", "no-such-branch", "dev")).contains("not found");
        assertThat(refused("branches", "schema-diff", "main", "dev@FFFF/FFFFFFFF"))
                .contains("LSN");
    }

    @Test
    void a_branch_is_given_an_end_and_loses_it() {
        assertThat(table("branches", "set-expiration", "dev", "--expires-at", inThreeDays))
                .contains(inThreeDays);
        assertThat(json("branches", "get", "dev").at("/expires_at").asString()).isEqualTo(inThreeDays);
        assertThat(json("branches", "set-expiration", "dev").has("expires_at")).isFalse();
        assertThat(refused("branches", "set-expiration", "dev", "--expires-at", "2020-01-01T00:00:00Z"))
                .contains("not in the future");
        assertThat(refused("branches", "set-expiration", "main", "--expires-at", inThreeDays))
                .contains("default");
    }

    @Test
    void a_snapshot_is_taken_looked_at_and_put_in_place() {
        sql("dev", "create table t as select 1 as n");
        assertThat(table("snapshots", "create", "--branch", "dev", "--name", "good"))
                .contains("good");
        sql("dev", "drop table t");
        JsonNode taken = json("snapshots", "get", "good");
        assertThat(taken.at("/manual").asBoolean()).isTrue();
        assertThat(table("snapshots", "list")).contains("good", taken.at("/id").asString());
        assertThat(table("snapshots", "update", "good", "--name", "better", "--expires-at", inThreeDays))
                .contains("better", inThreeDays);
        assertThat(json("snapshots", "update", "better", "--clear-expiration").has("expires_at"))
                .isFalse();

        assertThat(table("snapshots", "restore", "better", "--name", "look", "--target-branch", "dev"))
                .contains("look", "finished");
        assertThat(sql("look", "select n from t")).isEqualTo("1");
        assertThat(sql("dev", "select to_regclass('t') is null")).isEqualTo("t");
        assertThat(json("snapshots", "finalize", "look").at("/0/status").asString("finished"))
                .isEqualTo("finished");
        assertThat(sql("dev", "select n from t")).isEqualTo("1");
        sql("dev", "drop table t");
        assertThat(json("snapshots", "restore", "better", "--target-branch", "dev", "--finalize")
                        .at("/restored_branch/name")
                        .asString())
                .isEqualTo("dev");
        assertThat(sql("dev", "select n from t")).isEqualTo("1");
        assertThat(table("snapshots", "delete", "better")).contains("better");
        assertThat(refused("snapshots", "get", "better")).contains("better");
        assertThat(refused("snapshots", "restore", "better")).contains("better");
    }

    @Test
    void snapshots_are_taken_by_a_schedule() {
        assertThat(table("snapshots", "schedule", "get", "--branch", "main"))
                .contains("No automatic snapshot schedule");
        assertThat(table(
                        "snapshots",
                        "schedule",
                        "set",
                        "--branch",
                        "main",
                        "--frequency",
                        "daily",
                        "--hour",
                        "3",
                        "--retention",
                        "604800"))
                .contains("daily", "604800");
        JsonNode schedule = json("snapshots", "schedule", "get", "--branch", "main");
        assertThat(schedule.at("/0/hour").asInt()).isEqualTo(3);
        assertThat(refused(
                        "snapshots",
                        "schedule",
                        "set",
                        "--branch",
                        "main",
                        "--schedule",
                        "[{\"frequency\":\"never\"}]"))
                .contains("frequency");
    }

    @Test
    void a_deleted_project_is_recovered() {
        sql("main", "create table kept as select 7 as n");
        neon.run("projects", "delete", project).text();
        assertThat(neon.run("projects", "list").text()).doesNotContain(project);
        assertThat(neon.run("projects", "list", "--recoverable-only").text()).contains(project);
        assertThat(neon.refused("branches", "list", "--project-id", project)).contains("not found");
        assertThat(neon.json("projects", "recover", project).at("/id").asString())
                .isEqualTo(project);
        assertThat(sql("main", "select n from kept")).isEqualTo("7");
        assertThat(neon.refused("projects", "recover", project)).contains("not found");
    }

    @Test
    void a_directory_is_linked_to_a_branch_and_has_its_environment() throws IOException {
        Path directory = Files.createDirectory(server.directory().resolve("shop"));
        assertThat(neon.runIn(
                                directory,
                                "link",
                                "--project-id",
                                project,
                                "--org-id",
                                "org-coppice-00000000",
                                "--branch",
                                "main",
                                "--yes")
                        .exitCode())
                .isZero();
        assertThat(neon.runIn(directory, "status", "--current-branch").text()).isEqualTo("main");
        assertThat(Neonctl.sql(variable(directory, ".env.local", "DATABASE_URL"), "select 1"))
                .isEqualTo("1");

        assertThat(neon.runIn(directory, "checkout", "feature", "--create").exitCode())
                .isZero();
        assertThat(neon.runIn(directory, "status", "--current-branch").text()).isEqualTo("feature");
        assertThat(variable(directory, ".env.local", "NEON_BRANCH")).isEqualTo("feature");
        String uri = variable(directory, ".env.local", "DATABASE_URL_UNPOOLED");
        Neonctl.sql(uri, "create table feature (n int)");
        assertThat(sql("main", "select to_regclass('feature') is null")).isEqualTo("t");

        neon.runIn(directory, "env", "pull", "--branch", "main", "--file", ".env.main", "--service", "postgres")
                .text();
        assertThat(Neonctl.sql(
                        variable(directory, ".env.main", "DATABASE_URL"), "select to_regclass('feature') is null"))
                .isEqualTo("t");
        // Object storage and functions are Neon's cloud: what needs their credentials is told so.
        Programs.Result everything = neon.runIn(directory, "env", "pull", "--file", ".env.all");
        assertThat(everything.exitCode()).isEqualTo(1);
        assertThat(everything.error()).contains("a feature of Neon's cloud that Coppice does not have");
        Programs.Result nowhere = neon.runIn(directory, "checkout", "no-such-branch");
        assertThat(nowhere.exitCode()).isEqualTo(1);
        assertThat(nowhere.error()).contains("no-such-branch not found");
    }

    private static String variable(Path directory, String file, String name) throws IOException {
        return Files.readAllLines(directory.resolve(file)).stream()
                .filter(line -> line.startsWith(name + "="))
                .findFirst()
                .orElseThrow()
                .substring(name.length() + 1)
                .replace("\"", "");
    }

    @Test
    void psql_demands_tls_and_channel_binding_and_gets_both() {
        String uri =
                neon.run("connection-string", "dev", "--project-id", project).text();
        String pooled = neon.run("connection-string", "dev", "--pooled", "--project-id", project)
                .text();
        for (String string : new String[] {uri, pooled}) {
            assertThat(string).contains("sslmode=require").contains("channel_binding=require");
            assertThat(Neonctl.sql(string, "select 6 * 7")).isEqualTo("42");
            assertThat(Neonctl.sql(string.replace("channel_binding=require", "channel_binding=disable"), "select 1"))
                    .isEqualTo("1");
        }
    }
}
