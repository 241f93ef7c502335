package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.control.ControlFixture.Answer;
import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Every kind of answer of a running control plane, against Neon's own schemas. */
class NeonContractIT {
    private static final String ORGANIZATION = "/organizations/org-coppice-00000000";

    private static NeonContract contract;
    private static ControlFixture fixture;
    private static String project;
    private static String main;

    @BeforeAll
    static void open() throws IOException {
        contract = NeonContract.load();
        fixture = new ControlFixture(-1);
        project = "/projects/" + fixture.get("/projects").text("/projects/0/id");
        main = project + "/branches/" + fixture.get(project + "/branches").text("/branches/0/id");
    }

    @AfterAll
    static void close() throws IOException {
        if (fixture != null) {
            fixture.close();
        }
    }

    private static Answer call(String method, String path, @Nullable String body, int status) {
        Answer answer = fixture.call(method, path, body);
        assertThat(answer.status())
                .as(method + " " + path + ": " + answer.body())
                .isEqualTo(status);
        assertThat(contract.violations(method, path, answer.status(), answer.body()))
                .as(method + " " + path + ": " + answer.body())
                .isEmpty();
        return answer;
    }

    private static Answer get(String path) {
        return call("GET", path, null, 200);
    }

    private static Answer post(String path, String body, int status) {
        return call("POST", path, body, status);
    }

    @Test
    void the_validator_finds_what_is_wrong() {
        Answer answer = fixture.get("/users/me");
        assertThat(contract.violations("GET", project, 200, answer.body())).isNotEmpty();
        assertThat(contract.violations("GET", "/users/me", 200, answer.body())).isEmpty();
        assertThat(contract.violations("GET", "/users/me", 418, answer.body())).isNotEmpty();
    }

    @Test
    void the_account() {
        get("/users/me");
        get("/users/me/organizations");
        get(ORGANIZATION);
        get(ORGANIZATION + "/members");
        get(ORGANIZATION + "/invitations");
        get(ORGANIZATION + "/vpc/vpc_endpoints");
        get(ORGANIZATION + "/vpc/region/local/vpc_endpoints");
        get("/auth");
        get("/regions");
    }

    @Test
    void api_keys() {
        long account = post("/api_keys", "{\"key_name\":\"contract\"}", 200)
                .body()
                .at("/id")
                .asLong();
        get("/api_keys");
        call("DELETE", "/api_keys/" + account, null, 200);
        String id = project.substring("/projects/".length());
        long ofProject = post(ORGANIZATION + "/api_keys", "{\"key_name\":\"ci\",\"project_id\":\"" + id + "\"}", 200)
                .body()
                .at("/id")
                .asLong();
        get(ORGANIZATION + "/api_keys");
        call("DELETE", ORGANIZATION + "/api_keys/" + ofProject, null, 200);
        call("DELETE", "/api_keys/" + ofProject, null, 404);
        post("/api_keys", "{}", 400);
    }

    @Test
    void anonymized_branches() throws Exception {
        MaskedParent parent = new MaskedParent(fixture, "contract-masking");
        parent.execute(parent.endpoint, "CREATE TABLE people (id int PRIMARY KEY, name text, note text)");
        String path = "/projects/" + parent.project;
        String rule = "{\"database_name\":\"" + parent.database
                + "\",\"schema_name\":\"public\",\"table_name\":\"people\",\"column_name\":\"%s\",%s}";
        String rules = "\"masking_rules\":["
                + rule.formatted("name", "\"masking_function\":\"anon.dummy_name()\"") + ","
                + rule.formatted("note", "\"masking_value\":\"'none'\"") + "]";
        Answer made = post(
                path + "/branch_anonymized",
                "{" + rules + ",\"start_anonymization\":true,\"branch_create\":{\"branch\":{\"name\":\"hidden\"},"
                        + "\"endpoints\":[{\"type\":\"read_write\"}]}}",
                201);
        String branch = path + "/branches/" + made.text("/branch/id");
        assertThat(get(branch + "/masking_rules").body().at("/masking_rules")).hasSize(2);
        get(branch + "/anonymized_status");
        call("PATCH", branch + "/masking_rules", "{" + rules + "}", 200);
        post(branch + "/anonymize", "", 200);
        assertThat(get(branch + "/anonymized_status").text("/state")).isEqualTo("anonymized");
        call("GET", path + "/branches/" + parent.main + "/anonymized_status", null, 404);
        post(
                path + "/branch_anonymized",
                "{\"masking_rules\":[" + rule.formatted("no", "\"masking_function\":\"hash()\"") + "]}",
                422);
    }

    @Test
    void a_projects_life() {
        Answer made = post("/projects", """
                {"project":{"name":"contract","history_retention_seconds":3600,"branch":{"name":"trunk","role_name":"r","database_name":"d"},
                 "settings":{"allowed_ips":{"ips":["127.0.0.1"],"protected_branches_only":true},"quota":{"active_time_seconds":100000}},
                 "default_endpoint_settings":{"suspend_timeout_seconds":120,"autoscaling_limit_max_cu":0.5,"pg_settings":{"work_mem":"8MB"}}}}""", 201);
        String path = "/projects/" + made.text("/project/id");
        assertThat(made.text("/project/settings/allowed_ips/ips/0")).isEqualTo("127.0.0.1");
        assertThat(made.body()
                        .at("/project/default_endpoint_settings/suspend_timeout_seconds")
                        .asInt())
                .isEqualTo(120);
        assertThat(made.text("/roles/0/password")).isNotEmpty();
        get("/projects?limit=1");
        get("/projects?search=contract&limit=100");
        get("/projects?search=no-such-project");
        get("/projects/shared?limit=100");
        get(path);
        Answer changed = call(
                "PATCH",
                path,
                "{\"project\":{\"name\":\"renamed\",\"settings\":{\"enable_logical_replication\":true},\"history_retention_seconds\":7200}}",
                200);
        assertThat(changed.text("/project/name")).isEqualTo("renamed");
        assertThat(changed.body()
                        .at("/project/settings/enable_logical_replication")
                        .asBoolean())
                .isTrue();
        assertThat(changed.text("/project/settings/allowed_ips/ips/0")).isEqualTo("127.0.0.1");
        assertThat(changed.body()
                        .at("/project/settings/quota/active_time_seconds")
                        .asInt())
                .isEqualTo(100_000);
        Answer operations = get(path + "/operations?limit=1");
        get(path + "/operations/" + operations.text("/operations/0/id"));
        call("DELETE", path, null, 200);
        call("GET", path, null, 404);
    }

    @Test
    void a_branchs_life() {
        Answer made = post(project + "/branches", """
                {"branch":{"name":"contract","protected":false},
                 "endpoints":[{"type":"read_write","suspend_timeout_seconds":90,"autoscaling_limit_max_cu":0.25}],
                 "annotation_value":{"pull-request":"142"}}""", 201);
        String branch = project + "/branches/" + made.text("/branch/id");
        Answer list = get(project + "/branches?search=contract&sort_by=updated_at&sort_order=desc&limit=10");
        assertThat(list.text("/annotations/" + made.text("/branch/id") + "/value/pull-request"))
                .isEqualTo("142");
        assertThat(get(branch).text("/annotation/value/pull-request")).isEqualTo("142");
        assertThat(get(project + "/branches/count?search=contract")
                        .body()
                        .at("/count")
                        .asInt())
                .isEqualTo(1);
        get(main);
        call("PATCH", branch, "{\"branch\":{\"name\":\"contract-2\",\"protected\":true}}", 200);
        call("DELETE", branch, null, 422);
        call("PATCH", branch, "{\"branch\":{\"protected\":false}}", 200);
        post(branch + "/restore", "{\"source_branch_id\":\"" + main.replaceFirst(".*/", "") + "\"}", 200);
        get(branch + "/endpoints");
        get(branch + "/roles");
        get(branch + "/databases");
        call("DELETE", branch, null, 200);
        call("GET", branch, null, 404);
        post(project + "/branches", "{\"branch\":{\"name\":\"main\"}}", 409);
    }

    @Test
    void an_endpoints_life() {
        Answer made = post(project + "/branches", "{\"branch\":{\"name\":\"bare\"},\"endpoints\":[]}", 201);
        String branch = made.text("/branch/id");
        Answer endpoint = post(
                project + "/endpoints",
                "{\"endpoint\":{\"branch_id\":\"" + branch + "\",\"type\":\"read_write\",\"name\":\"first\"}}",
                201);
        String path = project + "/endpoints/" + endpoint.text("/endpoint/id");
        get(project + "/endpoints");
        post(path + "/start", "", 200);
        assertThat(get(path).text("/endpoint/current_state")).isEqualTo("active");
        Answer changed = call("PATCH", path, """
                {"endpoint":{"autoscaling_limit_min_cu":0.25,"autoscaling_limit_max_cu":0.5,"suspend_timeout_seconds":-1,
                 "settings":{"pg_settings":{"work_mem":"7MB"}}}}""", 200);
        assertThat(changed.body().at("/endpoint/autoscaling_limit_max_cu").asDouble())
                .isEqualTo(0.5);
        post(path + "/restart", "", 200);
        Answer refused =
                call("PATCH", path, "{\"endpoint\":{\"settings\":{\"pg_settings\":{\"work_mem\":\"rubbish\"}}}}", 422);
        assertThat(refused.text("/message")).contains("does not start");
        assertThat(get(path).text("/endpoint/settings/pg_settings/work_mem")).isEqualTo("7MB");
        assertThat(get(path).text("/endpoint/current_state")).isEqualTo("idle");
        post(path + "/start", "", 200);
        call("PATCH", path, "{\"endpoint\":{\"disabled\":true}}", 200);
        post(path + "/start", "", 412);
        call("PATCH", path, "{\"endpoint\":{\"disabled\":false}}", 200);
        post(path + "/suspend", "", 200);
        call("DELETE", path, null, 200);
        call("GET", path, null, 404);
    }

    @Test
    void roles_and_databases() {
        post(main + "/roles", "{\"role\":{\"name\":\"clerk\"}}", 201);
        Answer group = post(main + "/roles", "{\"role\":{\"name\":\"readers\",\"no_login\":true}}", 201);
        assertThat(group.body().at("/role/password").isMissingNode()).isTrue();
        get(main + "/roles");
        get(main + "/roles/clerk");
        get(main + "/roles/clerk/reveal_password");
        post(main + "/roles/clerk/reset_password", "", 200);
        call("GET", main + "/roles/readers/reveal_password", null, 412);
        call("GET", main + "/roles/nobody/reveal_password", null, 404);
        post(main + "/databases", "{\"database\":{\"name\":\"shop\",\"owner_name\":\"clerk\"}}", 201);
        get(main + "/databases");
        get(main + "/databases/shop");
        Answer renamed = call(
                "PATCH",
                main + "/databases/shop",
                "{\"database\":{\"name\":\"store\",\"owner_name\":\"coppice_owner\"}}",
                200);
        assertThat(renamed.text("/database/name")).isEqualTo("store");
        assertThat(renamed.text("/database/owner_name")).isEqualTo("coppice_owner");
        Answer pooled = get(project + "/connection_uri?database_name=store&role_name=coppice_owner&pooled=true");
        assertThat(pooled.text("/uri")).contains("-pooler");
        call("DELETE", main + "/databases/store", null, 200);
        call("DELETE", main + "/roles/clerk", null, 200);
        call("DELETE", main + "/roles/readers", null, 200);
    }

    @Test
    void schemas_snapshots_and_what_comes_back() {
        get(main + "/schema?db_name=coppice");
        get(main + "/compare_schema?db_name=coppice&base_branch_id=" + main.replaceFirst(".*/", ""));
        Answer taken = post(main + "/snapshot?name=contract", "", 200);
        get(project + "/snapshots");
        String snapshot = project + "/snapshots/" + taken.text("/snapshot/id");
        call("PATCH", snapshot, "{\"snapshot\":{\"name\":\"renamed\"}}", 200);
        get(main + "/backup_schedule");
        call("DELETE", snapshot, null, 202);
        String gone = project + "/branches/"
                + post(project + "/branches", "{\"branch\":{\"name\":\"gone\"}}", 201)
                        .text("/branch/id");
        call("DELETE", gone + "?hard_delete=true", null, 200);
        get(project + "/branches?include_deleted=true");
        post(gone + "/recover", "", 404);
    }

    @Test
    void what_was_used() {
        Instant now = Instant.now();
        String range = "?granularity=hourly&from=" + now.minus(1, ChronoUnit.HOURS) + "&to=" + now
                + "&org_id=org-coppice-00000000";
        // The first project's compute has run since the fixture was opened.
        Answer projects = get("/consumption_history/projects" + range);
        assertThat(projects.body().findValues("active_time_seconds").toString()).isNotEqualTo("[]");
        String metrics = range + "&metrics=compute_unit_seconds,extra_branches_month";
        Answer second = get("/consumption_history/v2/projects" + metrics);
        assertThat(second.body().findValuesAsString("metric_name"))
                .isNotEmpty()
                .allMatch(name -> name.equals("compute_unit_seconds"));
        get("/consumption_history/v2/branches" + metrics);
        call("GET", "/consumption_history/projects?granularity=weekly&from=" + now + "&to=" + now, null, 400);
        assertThat(fixture.get("/consumption_history/account" + range).status()).isEqualTo(200);
    }

    @Test
    void what_belongs_to_neons_cloud() {
        for (String path : new String[] {"/permissions", "/jwks", "/vpc_endpoints", "/available_preload_libraries"}) {
            get(project + path);
        }
        for (String path : new String[] {"/buckets", "/functions", "/credentials"}) {
            get(main + path);
        }
        for (String path : new String[] {"/auth", "/data-api/coppice", "/ai_gateway"}) {
            assertThat(fixture.get(main + path).status()).isEqualTo(404);
        }
        post(project + "/permissions", "{\"email\":\"a@example.com\"}", 501);
        post(main + "/auth", "{}", 501);
    }

    @Test
    void a_missing_key() {
        Answer answer = fixture.call("GET", project, null, Optional.empty());
        assertThat(answer.status()).isEqualTo(401);
        assertThat(contract.violations("GET", project, 401, answer.body())).isEmpty();
    }
}
