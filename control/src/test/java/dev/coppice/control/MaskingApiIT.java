package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.control.ControlFixture.Answer;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** What users declare about masking, and what they are shown before they make a branch. */
class MaskingApiIT {
    private static final int NEVER = -1;

    private static ControlFixture fixture;
    private static String base;
    private static String main;
    private static String endpoint;

    @BeforeAll
    static void open() throws Exception {
        fixture = new ControlFixture(NEVER);
        base = "/projects/" + fixture.get("/projects").text("/projects/0/id");
        main = base + "/branches/" + fixture.get(base + "/branches").text("/branches/0/id");
        endpoint = fixture.get(main + "/endpoints").text("/endpoints/0/id");
        execute("""
                CREATE TABLE people (id bigserial PRIMARY KEY, email text UNIQUE NOT NULL, full_name text, born date,
                    country text, profile jsonb, salary numeric(10,2), note text);
                CREATE TABLE visits (id serial PRIMARY KEY, visitor_email text REFERENCES people (email), at timestamptz, ip inet);
                CREATE TABLE products (id int PRIMARY KEY, name text, price numeric);
                INSERT INTO people (email, full_name, born, country, profile, salary, note)
                    SELECT 'jane' || n || '@company.example', CASE WHEN n % 5 = 0 THEN NULL ELSE 'Jane Miller' END,
                        date '1980-01-01' + n, CASE WHEN n % 2 = 0 THEN 'DE' ELSE 'FR' END,
                        jsonb_build_object('contact', jsonb_build_object('phone', '+49 30 12345' || n % 10), 'score', n), 1000 + n,
                        repeat('call jane at +49 30 1234567 ', 40)
                    FROM generate_series(1, 200) n;
                INSERT INTO visits (visitor_email, at, ip) SELECT email, now(), '10.0.0.7' FROM people;
                INSERT INTO products SELECT n, 'Chair ' || n, n FROM generate_series(1, 50) n;
                CREATE ROLE reader LOGIN PASSWORD 'reads only visits';
                GRANT SELECT ON visits TO reader;
                """);
    }

    @AfterAll
    static void close() throws IOException {
        fixture.close();
    }

    private static void execute(String sql) throws Exception {
        var socket = fixture.control
                .routing()
                .wake(endpoint)
                .toCompletableFuture()
                .get()
                .socket();
        try (Connection connection = SuperuserSql.open(socket, "coppice");
                Statement statement = connection.createStatement()) {
            statement.setEscapeProcessing(false);
            for (String each : sql.split(";\\n")) {
                statement.execute(each);
            }
        }
    }

    private static String query(String endpointId, String sql) throws Exception {
        var socket = fixture.control
                .routing()
                .wake(endpointId)
                .toCompletableFuture()
                .get()
                .socket();
        try (Connection connection = SuperuserSql.open(socket, "coppice");
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    private static ObjectNode rule(String column, String function) {
        String[] names = column.split("\\.");
        return JsonMapper.shared()
                .createObjectNode()
                .put("database_name", "coppice")
                .put("schema_name", "public")
                .put("table_name", names[0])
                .put("column_name", names[1])
                .put("masking_function", function);
    }

    private static ObjectNode body(ObjectNode... rules) {
        ObjectNode body = JsonMapper.shared().createObjectNode();
        ArrayNode array = body.putArray("masking_rules");
        for (ObjectNode rule : rules) {
            array.add(rule);
        }
        return body;
    }

    private static Answer test(ObjectNode body) {
        return fixture.post(main + "/masking_test", body.toString());
    }

    private static List<JsonNode> rows(JsonNode answer, String table) {
        List<JsonNode> rows = new ArrayList<>();
        for (JsonNode each : answer.at("/databases/0/tables")) {
            if (each.path("table_name").stringValue().equals(table)) {
                each.path("rows").forEach(rows::add);
            }
        }
        return rows;
    }

    @Test
    void a_test_shows_rows_before_and_after_as_the_branch_would_have_them() {
        Answer answer = test(body(
                        rule("people.email", "anon.pseudo_email(email)").put("masking_function", "pseudonym_email()"),
                        rule("people.full_name", "anon.dummy_name()"),
                        rule("people.born", "anon.dnoise(born, '30 days')"),
                        rule("people.salary", "anon.noise(salary, 0.1)").put("when", "country = 'DE'"),
                        rule("people.profile", "anon.dummy_phone_number()").put("path", "$.contact.phone"),
                        rule("people.note", "blank()"))
                .put("rows", 20));
        assertThat(answer.status()).as(answer.body().toString()).isEqualTo(200);
        List<JsonNode> people = rows(answer.body(), "people");
        assertThat(people).hasSize(20);
        Map<String, String> addresses = new TreeMap<>();
        int changedSalaries = 0;
        for (JsonNode row : people) {
            JsonNode before = row.path("before");
            JsonNode after = row.path("after");
            // In the order of the columns: email, full_name, born, profile, salary, note.
            assertThat(before.get(0).asString()).matches("jane\\d+@company\\.example");
            assertThat(after.get(0).asString())
                    .matches("[a-z]{4}\\d+@[a-z]{7}\\.example")
                    .hasSameSizeAs(before.get(0).asString());
            addresses.put(before.get(0).asString(), after.get(0).asString());
            assertThat(after.get(1).isNull()).isEqualTo(before.get(1).isNull());
            assertThat(after.get(2).asString()).matches("(1979|1980)-\\d\\d-\\d\\d");
            JsonNode document = JsonMapper.shared().readTree(after.get(3).asString());
            JsonNode original = JsonMapper.shared().readTree(before.get(3).asString());
            assertThat(document.at("/contact/phone").asString()).matches("\\+49 \\d{2} \\d{6}");
            assertThat(document.path("score")).isEqualTo(original.path("score"));
            // Even ones are of people in DE. A whole number has room for a whole number, so noise may leave a few as
            // they were.
            boolean changed = !after.get(4).equals(before.get(4));
            assertThat(changed && before.get(4).asString().matches("\\d+[13579]\\.00"))
                    .isFalse();
            changedSalaries += changed ? 1 : 0;
            assertThat(after.get(5).asString()).isEmpty();
        }
        assertThat(changedSalaries).isPositive();
        assertThat(Set.copyOf(addresses.values())).hasSize(20);
        // What refers to a masked key is masked like it.
        List<JsonNode> visits = rows(answer.body(), "visits");
        assertThat(visits).hasSize(20);
        for (JsonNode row : visits) {
            String before = row.path("before").get(0).asString();
            if (addresses.containsKey(before)) {
                assertThat(row.path("after").get(0).asString()).isEqualTo(addresses.get(before));
            }
        }
        assertThat(rows(answer.body(), "products")).isEmpty();
        assertThat(test(body(rule("people.email", "pseudonym_email()")).put("rows", 20))
                        .body()
                        .at("/databases/0/tables/0/rows/0/after/0"))
                .as("the same value under the same key")
                .isEqualTo(people.getFirst().at("/after/0"));
    }

    @Test
    void rules_that_cannot_be_applied_are_refused_with_every_reason() {
        Answer parsed = test(body(
                rule("people.email", "partial("),
                rule("people.note", "blank()").put("when", "country ="),
                rule("people.born", "blank()")));
        assertThat(parsed.status()).isEqualTo(400);
        assertThat(parsed.text("/message"))
                .contains("masking_rules[0]: coppice.public.people.email: the function 'partial('")
                .contains("masking_rules[1]: coppice.public.people.note: the condition 'country ='")
                .doesNotContain("masking_rules[2]");
        Answer planned = test(body(rule("people.email", "dummy_email()"), rule("people.nickname", "blank()")));
        assertThat(planned.status()).isEqualTo(422);
        assertThat(planned.text("/message"))
                .contains("people.email: it is unique or a key", "people.nickname: the table has no such column");
        ObjectNode elsewhere = rule("people.email", "pseudonym()").put("database_name", "nowhere");
        assertThat(test(body(elsewhere)).text("/message")).contains("does not have: nowhere; it has coppice");
        assertThat(test(body().put("masking_policy", "hide")).text("/message")).contains("keep, mask or refuse");
        assertThat(test(body().put("rows", 1000)).status()).isEqualTo(400);
        assertThat(fixture.post(main + "/masking_test", "{\"masking_rules\":[{\"table_name\":\"x\"}]}")
                        .text("/message"))
                .contains("masking_rules[0].database_name: is missing");
        assertThat(fixture.post(main + "/masking_test", "{\"masking_rules\":[null]}")
                        .status())
                .isEqualTo(400);
        Answer both = test(body(rule("people.email", "pseudonym()").put("masking_value", "'x'")));
        assertThat(both.status()).isEqualTo(400);
        assertThat(both.text("/message")).contains("not both");
    }

    @Test
    void a_policy_masks_what_has_no_rule_or_asks_for_one() {
        Answer refused = test(body(rule("people.email", "pseudonym_email()")).put("masking_policy", "refuse"));
        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused.text("/message"))
                .contains("public.people.full_name", "public.products.price")
                .doesNotContain("public.people.email,");
        Answer masked = test(body(rule("products.name", "keep()"), rule("products.price", "keep()"))
                .put("masking_policy", "mask"));
        assertThat(masked.status()).as(masked.body().toString()).isEqualTo(200);
        JsonNode visit = rows(masked.body(), "visits").getFirst();
        assertThat(visit.path("after").toString()).doesNotContain("company.example");
        assertThat(masked.body().at("/databases/0/warnings").toString()).contains("public.people.note has no rule");
    }

    @Test
    void a_test_shows_only_what_its_role_may_read() {
        ObjectNode asReader = body(rule("people.full_name", "blank()"))
                .put("role_name", "reader")
                .put("password", "reads only visits");
        Answer refused = test(asReader);
        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused.text("/message")).contains("permission denied");
        Answer visits = test(body(rule("visits.ip", "pseudonym()"))
                .put("role_name", "reader")
                .put("password", "reads only visits"));
        assertThat(visits.status()).as(visits.body().toString()).isEqualTo(200);
        assertThat(rows(visits.body(), "visits")).isNotEmpty();
        Answer wrong = test(asReader.put("password", "guessed"));
        assertThat(wrong.status()).isEqualTo(422);
        assertThat(wrong.text("/message")).contains("cannot log in");
        // Its password was set by SQL and is stored nowhere.
        asReader.remove("password");
        assertThat(test(asReader).status()).isIn(404, 412);
        Answer found = fixture.post(
                main + "/masking_suggestions", "{\"role_name\":\"reader\",\"password\":\"reads only visits\"}");
        assertThat(found.status()).isEqualTo(200);
        assertThat(found.body().at("/notes").toString()).contains("public.people", "permission denied");
    }

    @Test
    void suggestions_become_rules_that_can_be_applied() {
        Answer found = fixture.post(main + "/masking_suggestions", "{\"database_name\":\"coppice\"}");
        assertThat(found.status()).as(found.body().toString()).isEqualTo(200);
        Set<String> surest = new TreeSet<>();
        ObjectNode body = body();
        ArrayNode rules = (ArrayNode) body.path("masking_rules");
        for (JsonNode each : found.body().path("suggestions")) {
            String path = each.path("path").asString("");
            surest.add(each.path("table_name").asString() + "."
                    + each.path("column_name").asString() + (path.isEmpty() ? "" : " " + path) + " "
                    + each.path("category").asString());
            rules.add(each);
        }
        assertThat(surest)
                .containsExactlyInAnyOrder(
                        "people.email email",
                        "people.full_name name",
                        "people.born birth_date",
                        "people.salary income",
                        "people.note free_text",
                        "people.profile $.contact.phone phone",
                        "visits.ip ip_address");
        assertThat(found.body().path("columns_looked_at").asInt()).isEqualTo(14);
        Answer tested = test(body);
        assertThat(tested.status()).as(tested.body().toString()).isEqualTo(200);
        assertThat(found.body().toString()).doesNotContain("jane", "Jane");
    }

    @Test
    void a_project_keeps_rules_under_names() {
        String sets = base + "/masking_rule_sets";
        Answer made = fixture.call(
                "PUT",
                sets + "/gdpr",
                body(rule("people.email", "pseudonym_email()").put("when", "country = 'DE'"))
                        .put("masking_policy", "mask")
                        .toString());
        assertThat(made.status()).as(made.body().toString()).isEqualTo(200);
        assertThat(made.text("/masking_rule_set/masking_policy")).isEqualTo("mask");
        assertThat(made.text("/masking_rule_set/masking_rules/0/when")).isEqualTo("country = 'DE'");
        fixture.call("PUT", sets + "/gdpr", body(rule("people.note", "blank()")).toString());
        Answer read = fixture.get(sets + "/gdpr");
        assertThat(read.text("/masking_rule_set/masking_rules/0/column_name")).isEqualTo("note");
        assertThat(read.text("/masking_rule_set/masking_policy")).isEqualTo("keep");
        assertThat(fixture.get(sets).text("/masking_rule_sets/0/name")).isEqualTo("gdpr");
        Answer tested = test(JsonMapper.shared().createObjectNode().put("masking_rule_set", "gdpr"));
        assertThat(rows(tested.body(), "people")).hasSize(5);
        assertThat(test(body(rule("people.note", "blank()")).put("masking_rule_set", "gdpr"))
                        .status())
                .isEqualTo(400);
        assertThat(fixture.call("PUT", sets + "/No%20Good", body().toString()).status())
                .isEqualTo(400);
        assertThat(fixture.call(
                                "PUT",
                                sets + "/bad",
                                body(rule("people.email", "x(")).toString())
                        .text("/message"))
                .contains("masking_rules[0]: coppice.public.people.email");
        assertThat(fixture.get(sets + "/bad").status()).isEqualTo(404);
        assertThat(fixture.delete(sets + "/gdpr").status()).isEqualTo(200);
        assertThat(fixture.delete(sets + "/gdpr").status()).isEqualTo(404);
    }

    @Test
    void neons_routes_make_an_anonymized_branch_and_give_it_other_rules() throws Exception {
        ObjectNode asked =
                body(rule("people.email", "pseudonym_email()"), rule("people.full_name", "anon.dummy_name()"));
        asked.putObject("branch_create").putObject("branch").put("name", "dev-anonymized");
        Answer made = fixture.post(
                base + "/branch_anonymized",
                asked.put("start_anonymization", true).toString());
        assertThat(made.status()).as(made.body().toString()).isEqualTo(201);
        assertThat(made.text("/branch/name")).isEqualTo("dev-anonymized");
        String branch = base + "/branches/" + made.text("/branch/id");
        String dev = made.text("/endpoints/0/id");
        Answer status = fixture.get(branch + "/anonymized_status");
        assertThat(status.text("/state")).isEqualTo("anonymized");
        assertThat(status.text("/branch_id")).isEqualTo(made.text("/branch/id"));
        assertThat(status.text("/created_at")).isNotEmpty();
        assertThat(fixture.get(branch + "/masking_rules").text("/masking_rules/0/masking_function"))
                .isEqualTo("pseudonym_email()");
        assertThat(query(dev, "SELECT count(*) FROM people JOIN visits ON visitor_email = email"))
                .isEqualTo("200");
        assertThat(query(dev, "SELECT count(*) FROM people WHERE email LIKE 'jane%@company.example'"))
                .isEqualTo("0");
        String salary = query(dev, "SELECT sum(salary)::text FROM people");
        assertThat(salary).isEqualTo(query(endpoint, "SELECT sum(salary)::text FROM people"));

        ObjectNode other = body(rule("people.full_name", "value('Somebody')"), rule("people.salary", "value(7)"));
        assertThat(fixture.patch(branch + "/masking_rules", other.toString()).status())
                .isEqualTo(200);
        Answer declared = fixture.get(branch + "/anonymized_status");
        assertThat(declared.body().path("rules_version").asInt()).isEqualTo(2);
        assertThat(declared.body().path("applied_rules_version").asInt()).isEqualTo(1);
        assertThat(query(dev, "SELECT sum(salary)::text FROM people")).isEqualTo(salary);
        Answer applied = fixture.post(branch + "/anonymize", "");
        assertThat(applied.status()).as(applied.body().toString()).isEqualTo(200);
        assertThat(query(dev, "SELECT sum(salary)::text FROM people")).isEqualTo("1400.00");
        assertThat(query(dev, "SELECT count(*) FROM people WHERE email LIKE 'jane%@company.example'"))
                .isEqualTo("200");
        assertThat(fixture.post(base + "/branch_anonymized", "{\"masking_indexes\":\"never\"}")
                        .status())
                .isEqualTo(400);
        assertThat(fixture.delete(branch).status()).isEqualTo(200);
    }

    @Test
    void a_branch_whose_rules_are_to_be_declared_later_shows_nothing_until_then() throws Exception {
        Answer made = fixture.post(
                base + "/branch_anonymized",
                "{\"branch_create\":{\"branch\":{\"name\":\"later\"}},\"start_anonymization\":false}");
        assertThat(made.status()).as(made.body().toString()).isEqualTo(201);
        String branch = base + "/branches/" + made.text("/branch/id");
        assertThat(fixture.get(branch + "/masking_rules").text("/masking_policy"))
                .isEqualTo("mask");
        String shown = query(
                made.text("/endpoints/0/id"),
                "SELECT string_agg(people::text || products::text, '') FROM people, products");
        assertThat(shown).doesNotContain("company", "Miller", "Chair", "berlin");
        assertThat(fixture.delete(branch).status()).isEqualTo(200);
    }

    @Test
    void an_ordinary_branch_has_no_masking() {
        Set<Integer> statuses = new HashSet<>();
        statuses.add(fixture.get(main + "/masking_rules").status());
        statuses.add(fixture.get(main + "/anonymized_status").status());
        assertThat(statuses).containsExactly(404);
        assertThat(fixture.post(main + "/anonymize", "").status()).isEqualTo(422);
        assertThat(fixture.patch(
                                main + "/masking_rules",
                                body(rule("people.email", "pseudonym()")).toString())
                        .status())
                .isEqualTo(422);
        assertThat(fixture.patch(main + "/masking_rules", "{}").status()).isEqualTo(400);
    }
}
