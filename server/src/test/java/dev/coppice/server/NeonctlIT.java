package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The unmodified neonctl and API client of Neon, from npm, against a server; psql with the connection strings that they print. */
class NeonctlIT {
    private static ServerProcess server;
    private static Neonctl neon;

    @BeforeAll
    static void start() throws IOException {
        Neonctl.install();
        server = ServerProcess.start("neonctl");
        neon = new Neonctl(server);
    }

    @AfterAll
    static void stop() throws IOException {
        if (server != null) {
            server.close();
        }
    }

    private static Programs.Result neonctl(String... arguments) {
        return neon.run(arguments);
    }

    private static JsonNode json(String... arguments) {
        return neon.json(arguments);
    }

    private static String refused(String... arguments) {
        return neon.refused(arguments);
    }

    private static String sql(String uri, String statements) {
        return Neonctl.sql(uri, statements);
    }

    @Test
    void account_and_projects() {
        assertThat(neonctl("me").text()).contains("coppice");
        assertThat(json("orgs", "list").at("/0/id").asString()).isEqualTo("org-coppice-00000000");
        assertThat(neonctl("projects", "list").text()).contains("coppice");
        JsonNode made = json("projects", "create", "--name", "shop", "--database", "shop", "--role", "keeper");
        String id = made.at("/project/id").asString();
        assertThat(sql(made.at("/connection_uris/0/connection_uri").asString(), "select current_user"))
                .isEqualTo("keeper");
        assertThat(json("projects", "get", id).at("/name").asString()).isEqualTo("shop");
        assertThat(json("projects", "update", id, "--name", "store").at("/name").asString())
                .isEqualTo("store");
        assertThat(json("projects", "list").at("/projects")).hasSize(2);
        String uri = made.at("/connection_uris/0/connection_uri").asString();
        json("ip-allow", "add", "10.0.0.0/8", "--project-id", id);
        Programs.Result shutOut = Programs.psql(uri, "select 1");
        assertThat(shutOut.exitCode()).isEqualTo(2);
        assertThat(shutOut.error()).contains("not allowed to this branch");
        json("ip-allow", "add", "127.0.0.1", "--project-id", id);
        assertThat(sql(uri, "select 1")).isEqualTo("1");
        assertThat(json("ip-allow", "list", "--project-id", id).toString()).contains("127.0.0.1");
        assertThat(refused("ip-allow", "add", "nowhere", "--project-id", id)).contains("allowed_ips");
        neonctl("ip-allow", "reset", "--project-id", id).text();
        assertThat(neonctl("operations", "list", "--project-id", id).text()).contains("finished");
        assertThat(json("vpc", "project", "list", "--project-id", id)).isEmpty();
        neonctl("projects", "delete", id).text();
        assertThat(refused("projects", "get", id)).contains("not found");
    }

    @Test
    void branches() {
        String project = firstProject();
        JsonNode made = json("branches", "create", "--project-id", project, "--name", "dev");
        assertThat(made.at("/branch/name").asString()).isEqualTo("dev");
        assertThat(neonctl("branches", "list", "--project-id", project).text())
                .contains("dev")
                .contains("main");
        assertThat(json("branches", "get", "dev", "--project-id", project)
                        .at("/name")
                        .asString())
                .isEqualTo("dev");
        assertThat(json("branches", "rename", "dev", "dev-2", "--project-id", project)
                        .at("/name")
                        .asString())
                .isEqualTo("dev-2");
        String uri = cs("dev-2", project);
        sql(uri, "create table t as select 1 as n");
        assertThat(json("branches", "reset", "dev-2", "--parent", "--project-id", project)
                        .at("/last_reset_at")
                        .asString(""))
                .isNotEmpty();
        assertThat(sql(uri, "select to_regclass('t') is null")).isEqualTo("t");
        sql(uri, "create table kept as select 7 as n");
        String lsn = sql(uri, "select pg_current_wal_insert_lsn()");
        sql(uri, "drop table kept");
        json(
                "branches",
                "restore",
                "dev-2",
                "^self@" + lsn,
                "--preserve-under-name",
                "dev-2-old",
                "--project-id",
                project);
        assertThat(sql(uri, "select n from kept")).isEqualTo("7");
        assertThat(refused("branches", "create", "--project-id", project, "--name", "dev-2"))
                .contains("already exists");
        assertThat(refused("branches", "delete", "main", "--project-id", project))
                .contains("default");
        json("branches", "set-default", "dev-2", "--project-id", project);
        json("branches", "set-default", "main", "--project-id", project);
        json("branches", "delete", "dev-2", "--project-id", project);
        json("branches", "delete", "dev-2-old", "--project-id", project);
        assertThat(refused("branches", "get", "dev-2", "--project-id", project)).contains("dev-2");
    }

    @Test
    void connection_strings_are_for_psql_as_they_are() {
        String project = firstProject();
        String uri = cs("main", project);
        assertThat(uri).contains("sslmode=require").contains("channel_binding=require");
        assertThat(sql(uri, "select ssl from pg_stat_ssl where pid = pg_backend_pid()"))
                .isNotEmpty();
        assertThat(sql(uri, "select 6 * 7")).isEqualTo("42");
        String pooled = neonctl("connection-string", "main", "--pooled", "--project-id", project)
                .text();
        assertThat(pooled).contains("-pooler");
        assertThat(sql(pooled, "select 1")).isEqualTo("1");
        sql(uri, "create table past as select 1 as n");
        String lsn = sql(uri, "select pg_current_wal_insert_lsn()");
        sql(uri, "drop table past");
        assertThat(sql(neonctl("cs", "main@" + lsn, "--project-id", project).text(), "select n from past"))
                .isEqualTo("1");
        assertThat(json("cs", "main", "--extended", "--project-id", project)
                        .at("/host")
                        .asString())
                .contains("ep-");
        Programs.Result psql =
                neonctl("psql", "main", "--project-id", project, "--", "-X", "-A", "-t", "-c", "select 5");
        assertThat(psql.text()).isEqualTo("5");
    }

    @Test
    void roles_databases_computes_and_keys() {
        String project = firstProject();
        json("branches", "create", "--project-id", project, "--name", "parts");
        JsonNode role = json("roles", "create", "--name", "clerk", "--branch", "parts", "--project-id", project);
        assertThat(role.at("/name").asString()).isEqualTo("clerk");
        assertThat(neonctl("roles", "list", "--branch", "parts", "--project-id", project)
                        .text())
                .contains("clerk");
        json(
                "databases",
                "create",
                "--name",
                "books",
                "--owner-name",
                "clerk",
                "--branch",
                "parts",
                "--project-id",
                project);
        assertThat(json("databases", "list", "--branch", "parts", "--project-id", project)
                        .toString())
                .contains("books");
        String uri = neonctl("cs", "parts", "--role-name", "clerk", "--database-name", "books", "--project-id", project)
                .text();
        assertThat(sql(uri, "select current_user || '@' || current_database()")).isEqualTo("clerk@books");
        json("databases", "delete", "books", "--branch", "parts", "--project-id", project);
        json("roles", "delete", "clerk", "--branch", "parts", "--project-id", project);
        assertThat(refused("branches", "add-compute", "parts", "--project-id", project))
                .contains("read_only");
        json("branches", "create", "--project-id", project, "--name", "bare", "--no-compute");
        assertThat(json("branches", "add-compute", "bare", "--type", "read_write", "--project-id", project)
                        .at("/host")
                        .asString())
                .startsWith("ep-");
        JsonNode made = json("api", "/api_keys", "-X", "POST", "-d", "{\"key_name\":\"from-neonctl\"}");
        assertThat(made.at("/key").asString()).startsWith("coppice_");
        json("branches", "delete", "parts", "--project-id", project);
        json("branches", "delete", "bare", "--project-id", project);
    }

    @Test
    void the_api_client() {
        Programs.Result result = neon.apiClient();
        JsonNode seen = JsonMapper.shared().readTree(result.text());
        assertThat(seen.at("/uri").asString()).contains("-pooler");
        assertThat(seen.at("/annotation").asString()).isEqualTo("api-client");
        assertThat(seen.at("/count").asInt()).isEqualTo(1);
        assertThat(seen.at("/operation").asString()).isEqualTo("finished");
        assertThat(seen.at("/deleted").asInt()).isEqualTo(200);
        assertThat(seen.at("/refusal/status").asInt()).isEqualTo(404);
        assertThat(seen.at("/refusal/message").asString()).contains("br-no-such-00000000");
    }

    @Test
    void a_wrong_key_is_told_and_no_key_is_ever_logged() throws IOException {
        Programs.Result result = neon.withKey("wrong", "me");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.error()).contains("Authentication failed");
        // The banner of the start may show the key to whoever started the server; after its last line, nothing may.
        String log = server.log();
        assertThat(log).contains("Stop ");
        assertThat(log.substring(log.indexOf("Stop ")))
                .doesNotContain(neon.key())
                .doesNotContain("zenith=");
    }

    private static String firstProject() {
        return JsonMapper.shared()
                .readTree(server.cli("projects", "list", "-o", "json").text())
                .valueStream()
                .filter(project -> project.at("/name").asString().equals("coppice"))
                .findFirst()
                .orElseThrow()
                .at("/id")
                .asString();
    }

    private static String cs(String branch, String project) {
        return neonctl("connection-string", branch, "--project-id", project).text();
    }
}
