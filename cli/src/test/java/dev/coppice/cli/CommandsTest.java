package dev.coppice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.cli.api.RecordedApi;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

class CommandsTest {
    private static final String P = "/projects/green-oak-12345678";
    private static final String MAIN = "br-old-elm-11111111";
    private static final String ALICE = "br-young-ash-22222222";
    private static final String URI =
            "postgresql://coppice_owner:p%2Bw@127.0.0.1:5433/coppice?options=endpoint%3Dep-calm-fir-33333333";
    private static final String PROJECTS = """
            {"projects":[{"id":"green-oak-12345678","name":"coppice","pg_version":18,"created_at":"2026-11-21T04:00:00Z"}],
             "pagination":{"cursor":"green-oak-12345678"}}""";
    private static final String BRANCHES = """
            {"branches":[
              {"id":"%s","project_id":"green-oak-12345678","name":"main","current_state":"ready","default":true,
               "created_at":"2026-11-21T04:00:00Z"},
              {"id":"%s","project_id":"green-oak-12345678","parent_id":"%s","parent_lsn":"0/16B3748","name":"dev-alice",
               "current_state":"ready","default":false,"created_at":"2026-11-21T04:05:00Z"}],
             "annotations":{},"pagination":{}}""".formatted(MAIN, ALICE, MAIN);
    private static final String ENDPOINTS = """
            {"endpoints":[{"id":"ep-calm-fir-33333333","branch_id":"%s","current_state":"idle",
             "suspend_timeout_seconds":300,"last_active":"2026-11-21T04:06:00Z"}]}""".formatted(ALICE);
    private static final String DATABASES =
            "{\"databases\":[{\"name\":\"coppice\",\"owner_name\":\"coppice_owner\",\"created_at\":\"2026-11-21T04:00:00Z\"}]}";

    private final RecordedApi api = new RecordedApi();
    private final Map<String, String> environment = new HashMap<>();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private Path data;

    @BeforeEach
    void recordAServer() throws IOException {
        data = Files.createTempDirectory(Path.of(System.getProperty("coppice.build.directory", "target")), "cli");
        environment.put("COPPICE_DATA_DIR", data.toString());
        Files.writeString(
                data.resolve("cli.json"),
                "{\"apiUrl\":\"%s/api/v2\",\"apiKey\":\"%s\"}".formatted(api.url(), RecordedApi.KEY));
        api.on("GET /projects?limit=100", 200, PROJECTS)
                .on("GET " + P + "/branches", 200, BRANCHES)
                .on("GET " + P + "/endpoints", 200, ENDPOINTS)
                .on("GET " + P + "/branches/" + ALICE + "/endpoints", 200, ENDPOINTS)
                .on("GET " + P + "/branches/" + MAIN + "/databases", 200, DATABASES)
                .on("GET " + P + "/branches/" + ALICE + "/databases", 200, DATABASES)
                .on(
                        "GET " + P + "/connection_uri?branch_id=" + ALICE
                                + "&database_name=coppice&role_name=coppice_owner",
                        200,
                        "{\"uri\":\"" + URI + "\"}");
    }

    @AfterEach
    void stopTheServer() {
        api.close();
    }

    @Test
    void branches_list_is_a_table_with_names() {
        assertThat(run("branches", "list")).isZero();
        assertThat(out.toString()).isEqualTo("""
                        NAME       ID                     PARENT  KIND      COMPUTE  CREATED
                        main *     br-old-elm-11111111            ordinary  none     2026-11-21T04:00:00Z
                        dev-alice  br-young-ash-22222222  main    ordinary  idle     2026-11-21T04:05:00Z
                        """);
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void a_list_has_what_any_branch_has_and_can_be_a_tree_or_names_only() {
        String p = "/projects/odd-fir-00000001";
        api.on("GET " + p + "/endpoints", 200, "{\"endpoints\":[{\"branch_id\":\"c\",\"current_state\":\"active\"}]}")
                .on("GET " + p + "/branches", 200, """
                        {"branches":[
                          {"id":"c","name":"anon","parent_id":"b","kind":"anonymized","current_state":"ready",
                           "logical_size":1048576,"expires_at":"2026-12-01T00:00:00Z"},
                          {"id":"a","name":"main","default":true,"protected":true,"current_state":"ready"},
                          {"id":"b","name":"dev","parent_id":"a","current_state":"init"},
                          {"id":"d","name":"empty","kind":"schema_only","parent_id":"a"}]}""");
        assertThat(run("branches", "list", "--project", "odd-fir-00000001", "--tree"))
                .isZero();
        assertThat(out.toString()).isEqualTo("""
                        NAME        ID  PARENT  KIND         STATE  COMPUTE  SIZE    PROTECTED  EXPIRES               CREATED
                        main *      a           ordinary            none             yes
                        ├─ dev      b   main    ordinary     init   none
                        │  └─ anon  c   dev     anonymized          active   1.0 MB             2026-12-01T00:00:00Z
                        └─ empty    d   main    schema-only         none
                        """);
        out.getBuffer().setLength(0);
        assertThat(run("branches", "list", "--project", "odd-fir-00000001", "--kind", "anonymized", "-q"))
                .isZero();
        assertThat(out.toString()).isEqualTo("anon\n");
        assertThat(run("branches", "list", "--kind", "odd")).isEqualTo(2);
    }

    @Test
    void what_could_steer_a_terminal_is_written_out() {
        api.on(
                "GET " + P + "/branches/" + MAIN + "/roles",
                200,
                "{\"roles\":[{\"name\":\"\\u001b[31mRED\\u202e\\u0007\"}]}");
        assertThat(run("roles", "list")).isZero();
        assertThat(out.toString()).contains("\\u001b[31mRED\\u202e\\u0007").doesNotContain("\u001b", "\u202e");
        api.on("DELETE " + P + "/branches/" + MAIN, 422, "{\"message\":\"no \\u001b]0;x\\u0007\"}");
        assertThat(run("branches", "delete", "main")).isEqualTo(1);
        assertThat(err.toString()).isEqualTo("error: no \\u001b]0;x\\u0007\n");
    }

    @Test
    void projects_are_found_by_name() {
        assertThat(run("branches", "list", "--project", "coppice")).isZero();
        assertThat(run("branches", "list", "--project", "copice")).isEqualTo(1);
        assertThat(err.toString()).isEqualTo("error: there is no project \"copice\"\nhint: close to it: coppice\n");
    }

    @Test
    void an_option_that_is_not_there_is_named_even_when_another_is_missing() {
        assertThat(run("branches", "create", "--nmae", "x")).isEqualTo(2);
        assertThat(err.toString())
                .isEqualTo("error: coppice branches create has no option \"--nmae\"\n"
                        + "hint: see coppice branches create --help; close to it: --name\n");
        assertThat(run("branches", "delete", "--force", "x")).isEqualTo(2);
        assertThat(err.toString()).contains("coppice branches delete has no option \"--force\"");
    }

    @Test
    void messages_name_options_where_the_api_names_fields() {
        api.on(
                "POST " + P + "/branches",
                400,
                "{\"message\":\"branch.name: must not contain @; give preserve_under_name\"}");
        assertThat(run("branches", "create", "--name", "a@b")).isEqualTo(1);
        assertThat(err.toString()).isEqualTo("error: --name: must not contain @; give --preserve-under-name\n");
    }

    @Test
    void what_is_there_already_or_gone_already_is_no_error_when_that_is_said() {
        assertThat(run("branches", "create", "--name", "dev-alice", "--if-not-exists"))
                .isZero();
        assertThat(out.toString()).isEqualTo("Branch dev-alice is there already:\n\n" + URI + "\n");
        assertThat(run("branches", "delete", "dev-carol", "--if-exists")).isZero();
        assertThat(run("branches", "delete", "dev-carol")).isEqualTo(1);
        assertThat(api.requests()).noneMatch(request -> request.startsWith("DELETE") || request.startsWith("POST"));
    }

    @Test
    void a_word_that_is_no_command_is_named_with_what_is_close_to_it() {
        assertThat(run("branches", "lits")).isEqualTo(2);
        assertThat(err.toString())
                .isEqualTo("error: there is no command \"coppice branches lits\"\n"
                        + "hint: see coppice branches --help; close to it: list\n");
        assertThat(run("brnches", "list")).isEqualTo(2);
        assertThat(err.toString())
                .contains("there is no command \"coppice brnches\"\nhint: see coppice --help; close to it: branches\n");
        assertThat(run("roles")).isEqualTo(2);
        assertThat(err.toString()).contains("error: coppice roles needs a command: ", "list", "reset-password");
    }

    @Test
    void times_in_tables_are_to_the_second_and_lists_in_messages_have_an_end() {
        StringBuilder branches = new StringBuilder();
        for (int i = 1; i <= 25; i++) {
            branches.append(i == 1 ? "" : ",")
                    .append("{\"id\":\"br-%d\",\"name\":\"b%d\",\"created_at\":\"2026-11-21T04:00:00.123456Z\"}"
                            .formatted(i, i));
        }
        String many = "/projects/so-many-00000002/branches";
        api.on("GET /projects/so-many-00000002/endpoints", 200, "{\"endpoints\":[]}");
        api.on("GET " + many, 200, "{\"branches\":[" + branches + "]}");
        assertThat(run("branches", "list", "--project-id", "so-many-00000002")).isZero();
        assertThat(out.toString()).contains("2026-11-21T04:00:00Z\n").doesNotContain(".123");
        assertThat(run("branches", "get", "none", "--project-id", "so-many-00000002"))
                .isEqualTo(1);
        assertThat(err.toString())
                .endsWith("hint: the branches are b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14,"
                        + " b15, b16, b17, b18, b19, b20 and 5 more\n");
    }

    @Test
    void json_and_yaml_are_the_objects_of_the_api() {
        JsonNode recorded = JsonMapper.shared().readTree(BRANCHES).get("branches");
        assertThat(run("branches", "list", "-o", "json")).isZero();
        assertThat(JsonMapper.shared().readTree(out.toString())).isEqualTo(recorded);
        out.getBuffer().setLength(0);
        assertThat(run("-o", "yaml", "branches", "list")).isZero();
        assertThat(YAMLMapper.shared().readTree(out.toString())).isEqualTo(recorded);
    }

    @Test
    void branches_create_prints_the_connection_string() {
        recordCreate();
        assertThat(run("branches", "create", "--name", "dev-bob")).isZero();
        assertThat(out.toString())
                .isEqualTo("Branch dev-bob (br-new-yew-44444444) of main at 0/2000000 is ready:\n\n" + URI + "\n");
        assertThat(lastRequest())
                .isEqualTo("POST " + P + "/branches {\"branch\":{\"name\":\"dev-bob\",\"parent_id\":\"" + MAIN
                        + "\"},\"endpoints\":[{\"type\":\"read_write\"}]}");
    }

    @Test
    void branches_create_at_an_lsn_or_a_time() {
        recordCreate();
        assertThat(run("branches", "create", "--name", "a", "--parent", "dev-alice", "--at", "0/16b3748"))
                .isZero();
        assertThat(lastRequest())
                .contains("\"parent_lsn\":\"0/16B3748\"", "\"parent_id\":\"" + ALICE + "\"")
                .doesNotContain("parent_timestamp");
        assertThat(run(
                        "branches",
                        "create",
                        "--name",
                        "b",
                        "--at",
                        "2026-11-21T05:30:00+01:00",
                        "--suspend-timeout",
                        "-1"))
                .isZero();
        assertThat(lastRequest())
                .contains("\"parent_timestamp\":\"2026-11-21T04:30:00Z\"", "\"suspend_timeout_seconds\":-1");
    }

    @Test
    void a_point_that_is_neither_is_wrong_usage_and_nothing_is_sent() {
        assertThat(run("branches", "create", "--name", "a", "--at", "yesterday"))
                .isEqualTo(2);
        assertThat(err.toString()).startsWith("error: not a point in history: \"yesterday\"\nhint: --at takes an LSN");
        assertThat(api.requests()).isEmpty();
    }

    @Test
    void branches_are_found_by_name_and_by_id() {
        api.on(
                "GET " + P + "/branches/" + ALICE,
                200,
                "{\"branch\":{\"id\":\"" + ALICE + "\",\"name\":\"dev-alice\"}}");
        assertThat(run("branches", "get", "dev-alice")).isZero();
        assertThat(run("branches", "get", ALICE)).isZero();
        assertThat(out.toString())
                .contains(
                        "NAME           dev-alice\nID             " + ALICE,
                        "COMPUTE        ep-calm-fir-33333333, idle");
        assertThat(run("branches", "get", "dev-carol")).isEqualTo(1);
        assertThat(err.toString())
                .isEqualTo("error: there is no branch \"dev-carol\"\nhint: the branches are main, dev-alice\n");
    }

    @Test
    void branches_rename_and_delete() {
        api.on("PATCH " + P + "/branches/" + ALICE, 200, "{\"branch\":{\"id\":\"x\",\"name\":\"dev-eve\"}}");
        assertThat(run("branches", "rename", "dev-alice", "dev-eve")).isZero();
        assertThat(lastRequest()).endsWith("{\"branch\":{\"name\":\"dev-eve\"}}");
        api.on("DELETE " + P + "/branches/" + ALICE, 204, "");
        assertThat(run("branches", "delete", "dev-alice")).isZero();
        assertThat(out.toString()).endsWith("Branch dev-alice is deleted.\n");
    }

    @Test
    void a_refusal_is_one_line_and_exit_code_1() {
        api.on("DELETE " + P + "/branches/" + MAIN, 422, "{\"code\":\"\",\"message\":\"main is the default branch\"}");
        assertThat(run("branches", "delete", "main")).isEqualTo(1);
        assertThat(err.toString()).isEqualTo("error: main is the default branch\n");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void a_locked_project_is_tried_again() {
        api.on("DELETE " + P + "/branches/" + ALICE, 423, "{\"code\":\"\",\"message\":\"locked\"}")
                .on("DELETE " + P + "/branches/" + ALICE, 200, "{\"branch\":{}}");
        assertThat(run("branches", "delete", "dev-alice")).isZero();
    }

    @Test
    void connection_strings_have_the_form_that_a_program_wants() {
        String options = "options=endpoint%3Dep-calm-fir-33333333";
        assertThat(formatted("jdbc"))
                .isEqualTo(
                        "jdbc:postgresql://127.0.0.1:5433/coppice?" + options + "&user=coppice_owner&password=p%2Bw\n");
        assertThat(formatted("psql")).isEqualTo("psql '" + URI + "'\n");
        assertThat(formatted("env"))
                .isEqualTo("export PGHOST='127.0.0.1' PGPORT=5433 PGDATABASE='coppice' PGUSER='coppice_owner'"
                        + " PGPASSWORD='p+w' PGOPTIONS='endpoint=ep-calm-fir-33333333'\n");
        assertThat(formatted("spring"))
                .isEqualTo("spring.datasource.url=jdbc:postgresql://127.0.0.1:5433/coppice?" + options
                        + "\nspring.datasource.username=coppice_owner\nspring.datasource.password=p+w\n");
        assertThat(formatted("prisma")).isEqualTo("DATABASE_URL=\"" + URI + "\"\n");
    }

    private String formatted(String format) {
        out.getBuffer().setLength(0);
        assertThat(run("cs", "dev-alice", "--format", format)).isZero();
        return out.toString();
    }

    @Test
    void connection_string_is_one_line() {
        assertThat(run("connection-string", "dev-alice")).isZero();
        assertThat(out.toString()).isEqualTo(URI + "\n");
    }

    @Test
    void connection_string_takes_the_default_branch_and_named_roles_and_databases() {
        api.on(
                "GET " + P + "/connection_uri?branch_id=" + MAIN + "&database_name=my%20db&role_name=r",
                200,
                "{\"uri\":\"u\"}");
        assertThat(run("cs", "--database-name", "my db", "--role-name", "r", "-o", "json"))
                .isZero();
        assertThat(JsonMapper.shared().readTree(out.toString()).path("uri").asString())
                .isEqualTo("u");
        assertThat(run("cs", "--database-name", "nope")).isEqualTo(1);
        assertThat(err.toString()).contains("there is no database \"nope\"", "the databases are coppice");
    }

    @Test
    void psql_gets_the_string_without_the_password_and_the_arguments_after_the_dashes() throws IOException {
        Path seen = data.resolve("seen");
        Path psql = Files.writeString(
                data.resolve("psql"),
                "#!/bin/sh\nprintf '%s\\n' \"password=$PGPASSWORD\" \"$@\" > '" + seen.toAbsolutePath()
                        + "'\nexit 7\n");
        Files.setPosixFilePermissions(psql, PosixFilePermissions.fromString("rwxr-xr-x"));
        environment.put("PATH", data.toAbsolutePath().toString());
        assertThat(run("psql", "dev-alice", "--", "-c", "select 1", "-o", "x")).isEqualTo(7);
        assertThat(seen).hasContent("password=p+w\n" + URI.replace(":p%2Bw", "") + "\n-c\nselect 1\n-o\nx");
    }

    @Test
    void a_past_moment_is_named_in_the_options_of_the_connection_string() throws IOException {
        assertThat(run("cs", "dev-alice@0/16b3748")).isZero();
        assertThat(out.toString()).isEqualTo(URI + "%20neon_lsn%3A0%2F16B3748\n");
        out.getBuffer().setLength(0);
        assertThat(run("cs", "dev-alice@2026-11-21T05:30:00+01:00", "-o", "json"))
                .isZero();
        assertThat(JsonMapper.shared().readTree(out.toString()).path("uri").asString())
                .isEqualTo(URI + "%20neon_timestamp%3A2026-11-21T04%3A30%3A00Z");
        assertThat(run("cs", "dev-alice@yesterday")).isEqualTo(2);
        assertThat(err.toString()).startsWith("error: not a point in history: \"yesterday\"");
        Path seen = data.resolve("seen");
        Path psql =
                Files.writeString(data.resolve("psql"), "#!/bin/sh\necho \"$1\" > '" + seen.toAbsolutePath() + "'\n");
        Files.setPosixFilePermissions(psql, PosixFilePermissions.fromString("rwxr-xr-x"));
        environment.put("PATH", data.toAbsolutePath().toString());
        assertThat(run("psql", "dev-alice@0/1")).isZero();
        assertThat(seen).hasContent(URI.replace(":p%2Bw", "") + "%20neon_lsn%3A0%2F1");
    }

    @Test
    void branches_reset_asks_for_the_parents_head() {
        recordRestore(ALICE);
        assertThat(run("branches", "reset", "dev-alice", "--parent")).isZero();
        assertThat(lastRequest())
                .isEqualTo("POST " + P + "/branches/" + ALICE + "/restore {\"source_branch_id\":\"" + MAIN + "\"}");
        assertThat(out.toString()).isEqualTo("Branch dev-alice has the data of main at 0/3000000.\n");
        assertThat(run("branches", "reset", "main", "--parent")).isEqualTo(1);
        assertThat(err.toString()).contains("branch \"main\" has no parent", "^self@POINT");
        assertThat(run("branches", "reset", "dev-alice")).isEqualTo(2);
        assertThat(err.toString()).contains("--parent");
    }

    @Test
    void branches_restore_takes_itself_its_parent_or_any_branch_as_the_source() {
        recordRestore(ALICE);
        recordRestore(MAIN);
        assertThat(run("branches", "restore", "main", "^self@2026-11-21T09:30:00Z", "--preserve-under-name", "broken"))
                .isZero();
        assertThat(lastRequest())
                .endsWith("{\"source_branch_id\":\"" + MAIN
                        + "\",\"source_timestamp\":\"2026-11-21T09:30:00Z\",\"preserve_under_name\":\"broken\"}");
        assertThat(out.toString())
                .endsWith(
                        "What it was is branch broken.\nThe branches made from it hang on broken: dev-alice. A reset of them takes the data of"
                                + " broken, not of main; for that, restore them from main.\n");
        assertThat(run("branches", "restore", "dev-alice", "^parent@0/16b3748")).isZero();
        assertThat(lastRequest()).endsWith("{\"source_branch_id\":\"" + MAIN + "\",\"source_lsn\":\"0/16B3748\"}");
        assertThat(run("branches", "restore", "main", "dev-alice")).isZero();
        assertThat(lastRequest()).endsWith("{\"source_branch_id\":\"" + ALICE + "\"}");
    }

    @Test
    void a_restore_from_itself_needs_a_point_and_a_name_for_what_it_was() {
        assertThat(run("branches", "restore", "main", "^self", "--preserve-under-name", "x"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("^self needs a point");
        assertThat(run("branches", "restore", "main", "^self@0/1")).isEqualTo(2);
        assertThat(err.toString()).contains("needs --preserve-under-name");
        assertThat(api.requests()).isEmpty();
    }

    @Test
    void the_default_branch_and_the_history_of_a_project_can_be_changed() {
        api.on(
                "POST " + P + "/branches/" + ALICE + "/set_as_default",
                200,
                "{\"branch\":{\"id\":\"" + ALICE + "\",\"name\":\"dev-alice\",\"default\":true},\"operations\":[]}");
        assertThat(run("branches", "set-default", "dev-alice")).isZero();
        assertThat(out.toString()).contains("dev-alice", "yes");
        api.on("PATCH " + P, 200, "{\"project\":{\"name\":\"coppice\",\"history_retention_seconds\":3600}}");
        assertThat(run("projects", "update", "green-oak-12345678", "--history-retention-seconds", "3600"))
                .isZero();
        assertThat(lastRequest()).isEqualTo("PATCH " + P + " {\"project\":{\"history_retention_seconds\":3600}}");
        assertThat(out.toString()).contains("1h");
        assertThat(run("projects", "update", "green-oak-12345678")).isEqualTo(2);
    }

    private void recordRestore(String branch) {
        api.on(
                "POST " + P + "/branches/" + branch + "/restore",
                200,
                "{\"branch\":{\"id\":\"" + branch + "\",\"parent_lsn\":\"0/3000000\"},\"operations\":[]}");
    }

    @Test
    void psql_that_is_not_installed_is_named_with_how_to_install_it() {
        environment.put("PATH", data.toString());
        assertThat(run("psql", "dev-alice")).isEqualTo(2);
        assertThat(err.toString()).contains("psql is not installed", "apt-get install postgresql-client");
        assertThat(run("psql", "dev-alice", "select 1")).isEqualTo(2);
        assertThat(err.toString()).contains("psql takes one branch", "after --");
    }

    @Test
    void computes_are_listed() {
        assertThat(run("computes", "list")).isZero();
        assertThat(out.toString()).contains("BRANCH     ID", "dev-alice  ep-calm-fir-33333333  idle   5m");
    }

    @Test
    void computes_are_suspended_and_woken_when_the_command_returns() {
        String path = P + "/endpoints/ep-calm-fir-33333333";
        String answer = "{\"endpoint\":{},\"operations\":[{\"id\":\"op-1\",\"action\":\"x\",\"status\":\"running\"}]}";
        String operation = "{\"operation\":{\"id\":\"op-1\",\"action\":\"x\",\"status\":\"%s\"}}";
        String endpoint = "{\"endpoint\":{\"id\":\"ep-calm-fir-33333333\",\"branch_id\":\"" + ALICE
                + "\",\"current_state\":\"%s\"}}";
        api.on("POST " + path + "/suspend", 200, answer)
                .on("POST " + path + "/start", 200, answer)
                .on("GET " + P + "/operations/op-1", 200, operation.formatted("running"))
                .on("GET " + P + "/operations/op-1", 200, operation.formatted("finished"))
                .on("GET " + P + "/operations/op-1", 200, operation.formatted("failed"))
                .on("GET " + path, 200, endpoint.formatted("idle"));
        assertThat(run("computes", "suspend", "dev-alice")).isZero();
        assertThat(out.toString()).contains("STATE          idle", "SUSPEND AFTER  default");
        assertThat(run("computes", "wake", "ep-calm-fir-33333333")).isEqualTo(1);
        assertThat(err.toString()).isEqualTo("error: x op-1 failed\n");
    }

    @Test
    void roles_and_databases_are_made_and_removed() {
        String branch = P + "/branches/" + MAIN;
        String role = "{\"role\":{\"name\":\"reporting\",\"password\":\"s3cret\"},\"operations\":[]}";
        api.on("POST " + branch + "/roles", 201, role)
                .on("POST " + branch + "/roles/reporting/reset_password", 200, role)
                .on("DELETE " + branch + "/roles/reporting", 200, role)
                .on("POST " + branch + "/databases", 201, "{\"database\":{\"name\":\"shop\",\"owner_name\":\"o\"}}")
                .on("DELETE " + branch + "/databases/shop", 200, "{\"database\":{\"name\":\"shop\"}}");
        assertThat(run("roles", "create", "--name", "reporting")).isZero();
        assertThat(out.toString()).contains("PASSWORD  s3cret");
        assertThat(run("roles", "reset-password", "reporting")).isZero();
        assertThat(run("roles", "delete", "reporting")).isZero();
        assertThat(run("databases", "create", "--name", "shop")).isZero();
        assertThat(lastRequest()).endsWith("{\"database\":{\"name\":\"shop\",\"owner_name\":\"coppice_owner\"}}");
        assertThat(run("databases", "delete", "shop")).isZero();
        assertThat(out.toString()).endsWith("Database shop is deleted.\n");
    }

    @Test
    void status_counts_what_runs() {
        api.on("GET /server", 200, "{\"isolation\":\"landlock\",\"isolation_missing\":[\"users\"]}");
        assertThat(run("status")).isZero();
        assertThat(out.toString())
                .isEqualTo("Coppice answers at " + api.url() + "/api/v2\n"
                        + "isolation: landlock (missing: users)\n"
                        + "project coppice (green-oak-12345678): 2 branches, 0 of 1 computes active\n");
    }

    @Test
    void several_projects_need_a_choice() {
        try (RecordedApi two = new RecordedApi()) {
            two.on(
                            "GET /projects?limit=100",
                            200,
                            "{\"projects\":[{\"id\":\"a\",\"name\":\"x\"},{\"id\":\"b\",\"name\":\"y\"}]}")
                    .on("GET /projects/b/branches", 200, BRANCHES)
                    .on("GET /projects/b/endpoints", 200, ENDPOINTS);
            environment.put("COPPICE_API_URL", two.url());
            environment.put("COPPICE_API_KEY", RecordedApi.KEY);
            assertThat(run("branches", "list")).isEqualTo(2);
            assertThat(err.toString())
                    .isEqualTo(
                            "error: there are several projects\nhint: pass --project with a name or an id: a (x), b (y)\n");
            assertThat(run("branches", "list", "--project-id", "b")).isZero();
        }
    }

    @Test
    void nobody_listening_is_exit_code_3_and_says_how_to_start() throws IOException {
        int closed;
        try (ServerSocket free = new ServerSocket(0)) {
            closed = free.getLocalPort();
        }
        String url = "http://127.0.0.1:" + closed;
        assertThat(run("branches", "list", "--api-url", url, "--api-key", "k")).isEqualTo(3);
        assertThat(err.toString())
                .isEqualTo("error: no server answers at " + url + "/api/v2\nhint: start it with ./coppice up\n");
    }

    @Test
    void a_data_directory_without_a_server_is_exit_code_3() throws IOException {
        Files.delete(data.resolve("cli.json"));
        assertThat(run("status")).isEqualTo(3);
        assertThat(err.toString())
                .contains("no server has been started with the data directory " + data.toAbsolutePath());
    }

    @Test
    void the_key_of_the_local_server_is_not_sent_elsewhere() {
        try (RecordedApi elsewhere = new RecordedApi()) {
            assertThat(run("status", "--api-url", elsewhere.url())).isEqualTo(2);
            assertThat(err.toString())
                    .contains("no API key for " + elsewhere.url())
                    .doesNotContain(RecordedApi.KEY);
            assertThat(elsewhere.requests()).isEmpty();
        }
    }

    @Test
    void a_wrong_key_is_named_as_such() {
        assertThat(run("status", "--api-key", "wrong")).isEqualTo(1);
        assertThat(err.toString()).contains("refused the API key").doesNotContain("wrong");
        assertThat(run("status", "--api-key", "two\nlines")).isEqualTo(2);
    }

    @Test
    void an_answer_that_is_not_json_is_not_taken_for_one() {
        api.on("GET /projects/so-odd-00000003/branches", 502, "<html>Bad Gateway</html>");
        assertThat(run("branches", "list", "--project-id", "so-odd-00000003")).isEqualTo(1);
        assertThat(err.toString()).contains("an answer that is not Coppice's", "HTTP 502");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "branches", "branches creat", "branches create", "nonsense", "branches list -o xml"})
    void wrong_usage_is_exit_code_2_with_a_hint(String line) {
        assertThat(run(line.isEmpty() ? new String[0] : line.split(" "))).isEqualTo(2);
        assertThat(err.toString()).startsWith("error: ").contains("hint: see coppice");
        assertThat(api.requests()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"--help", "branches --help", "branches create --help", "psql -h", "computes suspend -h", "cs -h"
            })
    void help_is_on_standard_output(String line) {
        assertThat(run(line.split(" "))).isZero();
        assertThat(out.toString()).startsWith("Usage: coppice").endsWith("\n");
        assertThat(err.toString()).isEmpty();
    }

    private void recordCreate() {
        api.on("POST " + P + "/branches", 201, """
                {"branch":{"id":"br-new-yew-44444444","name":"dev-bob","parent_lsn":"0/2000000"},"endpoints":[],
                 "connection_uris":[{"connection_uri":"%s"}]}""".formatted(URI));
    }

    private String lastRequest() {
        return api.requests().getLast();
    }

    private int run(String... arguments) {
        return Main.run(new PrintWriter(out), new PrintWriter(err), environment, arguments);
    }

    private static final String RESULT =
            "{\"result\":{\"clean\":%s,\"findings\":%d,\"timelines\":3,\"journal_entries\":12,\"journal_bytes\":98304,"
                    + "\"torn_bytes\":0,\"layers\":2,\"layer_bytes\":5242880,\"wal_records\":77,\"wal_bytes\":1500000}}\n";

    @Test
    void storage_verify_says_what_was_read_and_that_all_is_well() {
        api.on(
                "GET /storage/verify",
                200,
                "{\"progress\":{\"timeline\":1,\"timelines\":3,\"timeline_id\":\"t\",\"step\":\"wal\",\"done\":1,\"total\":2}}\n"
                        + RESULT.formatted("true", 0));
        assertThat(run("storage", "verify")).isZero();
        assertThat(out.toString()).isEqualTo("""
                        Checked 3 timelines: 12 journal entries (96.0 kB), 2 layers (5.0 MB), 77 WAL records (1.4 MB).
                        All is well.
                        """);
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void storage_verify_of_a_branch_exits_with_1_when_it_finds_something() {
        api.on(
                "GET /storage" + P + "/branches/" + ALICE + "/verify",
                200,
                "{\"finding\":{\"severity\":\"error\",\"timeline_id\":\"t1\",\"branch\":\"dev-alice\","
                        + "\"file\":\"layers/x\",\"what\":\"a wrong checksum\",\"advice\":\"look\"}}\n"
                        + RESULT.formatted("false", 1));
        assertThat(run("storage", "verify", "dev-alice")).isEqualTo(1);
        assertThat(out.toString())
                .contains(
                        "1 finding:", "error: branch dev-alice, timeline t1, layers/x", "  a wrong checksum", "  look");
        out.getBuffer().setLength(0);
        assertThat(run("storage", "verify", "dev-alice", "-o", "json")).isEqualTo(1);
        JsonNode answer = JsonMapper.shared().readTree(out.toString());
        assertThat(answer.at("/findings/0/file").asString()).isEqualTo("layers/x");
        assertThat(answer.at("/result/clean").asBoolean()).isFalse();
    }

    @Test
    void a_check_that_breaks_off_is_not_taken_for_a_clean_one() {
        api.on("GET /storage/verify", 200, "");
        assertThat(run("storage", "verify")).isEqualTo(1);
        assertThat(err.toString()).contains("stopped before the check was finished");
    }

    @Test
    void storage_page_lists_versions_and_marks_the_one_that_is_served() {
        api.on(
                "GET /storage" + P + "/branches/" + ALICE
                        + "/page?relation=public.orders&block=7&fork=main&lsn=0%2F16B3748",
                200,
                "{\"path\":\"base/5/16384\",\"block\":7,\"versions\":["
                        + "{\"timeline_id\":\"t2\",\"branch\":\"dev-alice\",\"stamp\":\"0/3000000\",\"where\":\"journal 1@81920\","
                        + "\"kind\":\"page\",\"served\":false},"
                        + "{\"timeline_id\":\"t1\",\"branch\":\"main\",\"stamp\":\"0/16B0000\",\"where\":\"delta-1\","
                        + "\"kind\":\"page\",\"served\":true}]}");
        assertThat(run("storage", "page", "dev-alice", "public.orders", "7", "--lsn", "0/16B3748"))
                .isZero();
        assertThat(out.toString()).isEqualTo("""
                        Block 7 of base/5/16384:
                        STAMP        KIND  BRANCH     WHERE
                        0/3000000    page  dev-alice  journal 1@81920
                        0/16B0000 *  page  main       delta-1
                        """);
        assertThat(run("storage", "page", "main", "t", "7", "--lsn", "yesterday"))
                .isEqualTo(2);
        assertThat(run("storage", "page", "main", "t", "seven")).isEqualTo(2);
    }

    @Test
    void storage_stats_is_a_table_of_branches() {
        api.on(
                "GET /storage" + P + "/stats",
                200,
                "{\"projects\":[{\"own_bytes\":73400320,\"local_cache_bytes\":1024,\"branches\":[{\"name\":\"main\","
                        + "\"logical_size\":31457280,\"own_bytes\":73400320,\"shared_bytes\":0,\"layer_bytes\":20971520,"
                        + "\"journal_bytes\":2097152,\"wal_bytes\":33554432,\"wal_archive_bytes\":16777216,"
                        + "\"local_cache_bytes\":1024,\"horizon_lsn\":\"0/1000000\",\"read_amplification\":2}]}]}");
        assertThat(run("storage", "stats")).isZero();
        assertThat(out.toString())
                .contains("main    30.0 MB  70.0 MB", "0/1000000")
                .contains("Own bytes of all branches: 70.0 MB, and 1.0 kB of local files");
    }
}
