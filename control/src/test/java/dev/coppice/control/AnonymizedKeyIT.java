package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.control.ControlFixture.Answer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Whoever holds a key for anonymized branches makes and uses them, and learns nothing of their parents' rows. */
class AnonymizedKeyIT {
    /** What such a key may ask of any branch: names and states. Everything else is closed for a branch that is not masked. */
    private static final Set<String> OPEN = Set.of(
            "get /projects/{project}",
            "get /projects/{project}/branches",
            "get /projects/{project}/branches/{branch}",
            "get /projects/{project}/operations",
            "get /projects/{project}/operations/{name}",
            "get /projects/{project}/masking_rule_sets",
            "get /projects/{project}/masking_rule_sets/{name}",
            "post /projects/{project}/branch_anonymized");

    private static ControlFixture fixture;
    private static MaskedParent parent;
    private static String secret;
    private static String project;

    @BeforeAll
    static void open() throws Exception {
        fixture = new ControlFixture(-1);
        parent = new MaskedParent(fixture, "shared");
        project = "/projects/" + parent.project;
        parent.execute(
                parent.endpoint,
                "CREATE TABLE people (id int PRIMARY KEY, name text, city text)",
                "INSERT INTO people SELECT n, 'Canary ' || n, 'city ' || n FROM generate_series(1, 100) n");
        ok(fixture.call("PUT", project + "/masking_rule_sets/names", """
                {"masking_rules":[{"database_name":"%s","schema_name":"public","table_name":"people",
                "column_name":"name","masking_function":"pseudonym()"}],"masking_policy":"keep"}""".formatted(parent.database)));
        secret = ok(fixture.post(
                        "/api_keys",
                        "{\"key_name\":\"previews\",\"project_id\":\"" + parent.project
                                + "\",\"scope\":\"anonymized\"}"))
                .text("/key");
    }

    @AfterAll
    static void close() throws IOException {
        fixture.close();
    }

    private static Answer ok(Answer answer) {
        assertThat(answer.status()).as(answer.toString()).isBetween(200, 299);
        return answer;
    }

    private static Answer call(String method, String path, @Nullable String body) {
        return fixture.call(method, path, body, Optional.of(secret));
    }

    private static int status(String method, String path, @Nullable String body) {
        return call(method, path, body).status();
    }

    private static Answer masked(String name) {
        return ok(call(
                "POST",
                project + "/branch_anonymized",
                "{\"masking_rule_set\":\"names\",\"branch_create\":{\"branch\":{\"name\":\"" + name
                        + "\"},\"endpoints\":[{\"type\":\"read_write\"}]}}"));
    }

    @Test
    void of_an_ordinary_branch_every_route_but_names_and_states_is_closed() {
        Map<String, String> parts = Map.of(
                "project", parent.project,
                "branch", parent.main,
                "endpoint", parent.endpoint,
                "name", "none",
                "organization", "org-coppice");
        List<String> answered = new ArrayList<>();
        JsonNode paths = fixture.get("/openapi.json").body().path("paths");
        for (Map.Entry<String, JsonNode> path : paths.properties()) {
            for (String method : path.getValue().propertyNames()) {
                String url = path.getKey();
                for (Map.Entry<String, String> part : parts.entrySet()) {
                    url = url.replace("{" + part.getKey() + "}", part.getValue());
                }
                String key = method + " " + path.getKey();
                if (OPEN.contains(key) || !path.getKey().contains("{project}")) {
                    continue;
                }
                int status = status(method.toUpperCase(java.util.Locale.ROOT), url, method.equals("get") ? null : "{}");
                if (status != 403) {
                    answered.add(key + " " + status);
                }
            }
        }
        assertThat(answered).isEmpty();
        assertThat(paths.properties()).hasSizeGreaterThan(50);
        // Outside of the project: what tells who one is.
        assertThat(status("GET", "/projects", null)).isEqualTo(200);
        assertThat(status("GET", "/api_keys", null)).isEqualTo(403);
        assertThat(status("POST", "/api_keys", "{\"key_name\":\"more\"}")).isEqualTo(403);
        assertThat(status("POST", "/projects", "{\"project\":{}}")).isEqualTo(403);
        assertThat(status("GET", "/storage/verify", null)).isEqualTo(403);
    }

    @Test
    void it_makes_uses_and_deletes_anonymized_branches_and_children_of_them() throws Exception {
        Answer made = masked("preview");
        String branch = made.text("/branch/id");
        String base = project + "/branches/" + branch;
        String role = ok(call("GET", base + "/roles", null)).text("/roles/0/name");
        String uri = ok(call(
                        "GET",
                        project + "/connection_uri?branch_id=" + branch + "&database_name=" + parent.database
                                + "&role_name=" + role,
                        null))
                .text("/uri");
        assertThat(uri).contains(made.text("/endpoints/0/id"));
        assertThat(parent.value(
                        made.text("/endpoints/0/id"), "SELECT count(*)::text FROM people WHERE name LIKE 'Canary%'"))
                .isEqualTo("0");
        Answer child = ok(call(
                "POST",
                project + "/branches",
                "{\"branch\":{\"name\":\"of-preview\",\"parent_id\":\"" + branch
                        + "\"},\"endpoints\":[{\"type\":\"read_write\"}]}"));
        String childId = child.text("/branch/id");
        ok(call("GET", project + "/branches/" + childId + "/roles/" + role + "/reveal_password", null));
        ok(call("POST", project + "/endpoints/" + child.text("/endpoints/0/id") + "/suspend", null));
        ok(call("GET", base + "/anonymized_status", null));
        ok(call("DELETE", project + "/branches/" + childId, null));
        ok(call("POST", base + "/anonymize", null));
        // A reset masks again; what it made from it stays what it was.
        ok(call(
                "POST",
                base + "/restore",
                "{\"source_branch_id\":\"" + parent.main + "\",\"preserve_under_name\":\"before\"}"));
        assertThat(parent.value(
                        made.text("/endpoints/0/id"), "SELECT count(*)::text FROM people WHERE name LIKE 'Canary%'"))
                .isEqualTo("0");
        ok(call("DELETE", base, null));
    }

    @Test
    void it_cannot_choose_what_is_masked_nor_bring_originals_into_a_branch_that_it_uses() throws Exception {
        String creating = project + "/branch_anonymized";
        for (String rules : List.of(
                "{\"masking_rules\":[]}",
                "{\"masking_rules\":[],\"masking_policy\":\"keep\"}",
                "{\"masking_policy\":\"keep\"}",
                "{\"masking_rules\":[{\"database_name\":\"" + parent.database
                        + "\",\"schema_name\":\"public\",\"table_name\":\"people\",\"column_name\":\"name\","
                        + "\"masking_function\":\"keep()\"}]}")) {
            assertThat(status("POST", creating, rules)).as(rules).isEqualTo(403);
        }
        // Without any rules everything is masked.
        Answer everything = ok(call("POST", creating, "{}"));
        assertThat(parent.value(
                        everything.text("/endpoints/0/id"),
                        "SELECT count(*)::text FROM people WHERE name <> '' OR city <> ''"))
                .isEqualTo("0");
        Answer made = masked("locked");
        String base = project + "/branches/" + made.text("/branch/id");
        assertThat(status("PATCH", base + "/masking_rules", "{\"masking_rules\":[],\"masking_policy\":\"keep\"}"))
                .isEqualTo(403);
        assertThat(status("POST", base + "/masking_test", "{}")).isEqualTo(403);
        assertThat(status("POST", base + "/masking_suggestions", "{}")).isEqualTo(403);
        assertThat(status(
                        "PUT",
                        project + "/masking_rule_sets/names",
                        "{\"masking_rules\":[],\"masking_policy\":\"keep\"}"))
                .isEqualTo(403);
        assertThat(status("DELETE", project + "/masking_rule_sets/names", null)).isEqualTo(403);
        assertThat(status("PATCH", base, "{\"branch\":{\"protected\":false}}")).isEqualTo(403);
        assertThat(status("POST", base + "/snapshot", null)).isEqualTo(403);

        // A child that reads masked rows only cannot be filled with others, by nobody.
        Answer child = ok(call(
                "POST",
                project + "/branches",
                "{\"branch\":{\"parent_id\":\"" + made.text("/branch/id")
                        + "\"},\"endpoints\":[{\"type\":\"read_write\"}]}"));
        String restore = project + "/branches/" + child.text("/branch/id") + "/restore";
        String fromMain = "{\"source_branch_id\":\"" + parent.main + "\"}";
        assertThat(status("POST", restore, fromMain)).isEqualTo(403);
        Answer refused = fixture.post(restore, fromMain);
        assertThat(refused.status()).as(refused.toString()).isEqualTo(422);
        ok(call("POST", restore, "{\"source_branch_id\":\"" + made.text("/branch/id") + "\"}"));
        assertThat(parent.value(
                        child.text("/endpoints/0/id"), "SELECT count(*)::text FROM people WHERE name LIKE 'Canary%'"))
                .isEqualTo("0");
        // Nor does a branch of the parent, at any point, without a mask.
        for (String body : List.of(
                "{}",
                "{\"branch\":{\"parent_id\":\"" + parent.main + "\"}}",
                "{\"branch\":{\"init_source\":\"schema-only\"}}")) {
            assertThat(status("POST", project + "/branches", body)).as(body).isEqualTo(403);
        }
        for (String query : List.of(
                "",
                "&branch_id=" + parent.main,
                "&endpoint_id=" + parent.endpoint,
                "&branch_id=" + made.text("/branch/id") + "&endpoint_id=" + parent.endpoint)) {
            assertThat(status(
                            "GET",
                            project + "/connection_uri?role_name=x&database_name=" + parent.database + query,
                            null))
                    .as(query)
                    .isEqualTo(403);
        }
    }

    @Test
    void its_scope_is_shown_survives_a_restart_and_needs_a_project() throws Exception {
        Set<String> scopes = new TreeSet<>();
        fixture.get("/api_keys")
                .body()
                .forEach(key -> scopes.add(key.path("scope").asString()));
        assertThat(scopes).containsExactly("anonymized", "full");
        assertThat(fixture.post("/api_keys", "{\"key_name\":\"x\",\"scope\":\"anonymized\"}")
                        .status())
                .isEqualTo(400);
        assertThat(fixture.post("/api_keys", "{\"key_name\":\"x\",\"scope\":\"all\"}")
                        .status())
                .isEqualTo(400);
        fixture.shutDown();
        fixture.open();
        assertThat(status("GET", project + "/branches/" + parent.main + "/roles", null))
                .isEqualTo(403);
        assertThat(status("GET", project + "/branches", null)).isEqualTo(200);
    }
}
