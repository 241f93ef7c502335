package dev.coppice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.cli.api.RecordedApi;
import dev.coppice.cli.output.CliException;
import dev.coppice.cli.rules.RuleFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Rule files, and the commands that send them. */
class MaskingCommandsTest {
    private static final String P = "/projects/green-oak-12345678";
    private static final String MAIN = "br-old-elm-11111111";
    private static final String RULES = """
            rule_sets:
              dev:
                unlisted: mask
                databases:
                  shop:
                    people:
                      email: pseudonym_email()
                      id: keep
                    'crm."order.lines"':
                      price:
                        - {function: noise(0.2), when: price > 10}
                        - function: blank()
                      note: {value: it's gone}
                      doc: {path: $.a, function: blank()}
            """;

    private final RecordedApi api = new RecordedApi();
    private final Map<String, String> environment = new HashMap<>();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private Path data;

    @BeforeEach
    void recordAServer() throws IOException {
        data = Files.createTempDirectory(Path.of(System.getProperty("coppice.build.directory", "target")), "masking");
        environment.put("COPPICE_DATA_DIR", data.toString());
        environment.put("COPPICE_API_URL", api.url() + "/api/v2");
        environment.put("COPPICE_API_KEY", RecordedApi.KEY);
        environment.put("COPPICE_PROJECT_ID", "green-oak-12345678");
        api.on("GET " + P + "/branches", 200, """
                {"branches":[{"id":"%s","name":"main","default":true}]}""".formatted(MAIN));
    }

    @AfterEach
    void stopTheServer() {
        api.close();
    }

    private Path file(String text) throws IOException {
        return Files.writeString(data.resolve("rules.yaml"), text);
    }

    private int run(String... arguments) {
        return Main.run(new PrintWriter(out), new PrintWriter(err), environment, arguments);
    }

    private String lastRequest() {
        return api.requests().getLast();
    }

    @Test
    void a_file_becomes_the_rules_of_the_api() throws IOException {
        RuleFile.RuleSet set = RuleFile.read(file(RULES)).set(null);
        assertThat(set.name()).isEqualTo("dev");
        assertThat(set.body()).isEqualTo(JsonMapper.shared().readTree("""
                {"masking_policy":"mask","masking_rules":[
                {"database_name":"shop","schema_name":"public","table_name":"people","column_name":"email",
                 "masking_function":"pseudonym_email()"},
                {"database_name":"shop","schema_name":"public","table_name":"people","column_name":"id",
                 "masking_function":"keep()"},
                {"database_name":"shop","schema_name":"crm","table_name":"order.lines","column_name":"price",
                 "masking_function":"noise(0.2)","when":"price > 10"},
                {"database_name":"shop","schema_name":"crm","table_name":"order.lines","column_name":"price",
                 "masking_function":"blank()"},
                {"database_name":"shop","schema_name":"crm","table_name":"order.lines","column_name":"note",
                 "masking_value":"'it''s gone'"},
                {"database_name":"shop","schema_name":"crm","table_name":"order.lines","column_name":"doc",
                 "masking_function":"blank()","path":"$.a"}]}"""));
        assertThat(set.lines()).containsExactly(7, 8, 11, 12, 13, 14);
    }

    @Test
    void every_mistake_of_a_file_is_told_with_its_line_and_column() throws IOException {
        Path file = file("""
                rule_sets:
                  dev:
                    unlisted: hide
                    database: {}
                    databases:
                      shop:
                        a.b.c:
                          x: blank()
                        people:
                          email: pseudonym
                          name:
                          phone: {function: blank(), value: 1}
                          city: {function: blank(), wen: id = 1}
                          zip: {value: [1]}
                          when: [blank()]
                          email: blank()
                """);
        assertThatThrownBy(() -> RuleFile.read(file))
                .isInstanceOf(CliException.class)
                .hasMessageContaining("line 3: unlisted must be keep, mask or refuse")
                .hasMessageContaining("line 4: dev: database is not known here; known are databases, unlisted")
                .hasMessageContaining("line 7: \"a.b.c\" is no table")
                .hasMessageContaining("line 16: email is already on line 10")
                .hasMessageContaining("line 11: public.people.name: must be a function")
                .hasMessageContaining("line 12: public.people.phone: needs function or value, and not both")
                .hasMessageContaining("line 13: public.people.city: wen is not known here")
                .hasMessageContaining("line 14: public.people.zip: value must be one")
                .hasMessageContaining("line 15: public.people.when: must be a function");
        assertThatThrownBy(() -> RuleFile.read(data.resolve("nothing.yaml"))).hasMessageContaining("no such file");
        Path broken = file("rule_sets:\n  dev: [\n");
        assertThatThrownBy(() -> RuleFile.read(broken)).hasMessageContaining("is not valid YAML");
        Path other = file("rules: {}\n");
        assertThatThrownBy(() -> RuleFile.read(other)).hasMessageContaining("must have rule_sets at the top");
    }

    @Test
    void the_example_is_a_rule_file() {
        Path at = Path.of("").toAbsolutePath();
        while (!Files.exists(at.resolve("config/masking.example.yaml"))) {
            at = Objects.requireNonNull(at.getParent());
        }
        RuleFile example = RuleFile.read(at.resolve("config/masking.example.yaml"));
        assertThat(example.sets()).extracting(RuleFile.RuleSet::name).containsExactly("development", "strict");
        assertThat(example.set("development").body().path("masking_rules").size())
                .isEqualTo(13);
        assertThatThrownBy(() -> example.set(null)).hasMessageContaining("several sets");
        assertThatThrownBy(() -> example.set("x"))
                .isInstanceOfSatisfying(
                        CliException.class, e -> assertThat(e.hint()).contains("development, strict"));
    }

    @Test
    void an_anonymized_branch_is_created_with_the_rules_of_a_file_or_a_stored_set() throws IOException {
        api.on("POST " + P + "/branch_anonymized", 201, """
                {"branch":{"id":"br-new","name":"dev"},"connection_uris":[{"connection_uri":"postgresql://x"}]}""");
        assertThat(run(
                        "branches",
                        "create",
                        "--name",
                        "dev",
                        "--anonymized",
                        "--rules",
                        file(RULES).toString()))
                .as(err.toString())
                .isZero();
        JsonNode sent = JsonMapper.shared()
                .readTree(lastRequest().substring(lastRequest().indexOf('{')));
        assertThat(sent.at("/branch_create/branch/name").asString()).isEqualTo("dev");
        assertThat(sent.at("/branch_create/branch/parent_id").asString()).isEqualTo(MAIN);
        assertThat(sent.path("start_anonymization").asBoolean()).isTrue();
        assertThat(sent.path("masking_policy").asString()).isEqualTo("mask");
        assertThat(sent.path("masking_rules").size()).isEqualTo(6);
        assertThat(out.toString()).contains("postgresql://x");
        assertThat(run("branches", "create", "--name", "d", "--anonymized", "--set", "gdpr", "--indexes", "background"))
                .isZero();
        assertThat(lastRequest()).contains("\"masking_rule_set\":\"gdpr\"", "\"masking_indexes\":\"background\"");
        assertThat(run("branches", "create", "--name", "d", "--set", "gdpr")).isEqualTo(CliException.USAGE);
        assertThat(run("branches", "create", "--name", "d", "--anonymized")).isEqualTo(CliException.USAGE);
        assertThat(err.toString()).contains("add --anonymized", "pass --rules FILE");
    }

    @Test
    void what_the_server_says_against_a_rule_names_its_line() throws IOException {
        api.on("POST " + P + "/branches/" + MAIN + "/masking_test", 400, """
                {"message":"masking_rules[2]: shop.crm.order.lines.price: the function is bad\\nmasking_rules[0]: shop.public.people.email: so is this"}""");
        Path file = file(RULES);
        assertThat(run("masking", "test", "--rules", file.toString())).isEqualTo(CliException.REFUSED);
        assertThat(err.toString())
                .contains(file + " line 11: shop.crm.order.lines.price: the function is bad")
                .contains(file + " line 7: shop.public.people.email: so is this");
        api.on("PUT " + P + "/masking_rule_sets/dev", 422, """
                {"message":"database \\"shop\\": public.people.email: it is unique; public.people.id: the table has no such column"}""");
        assertThat(run("masking", "apply", "--rules", file.toString())).isEqualTo(CliException.REFUSED);
        assertThat(err.toString())
                .contains(file + " line 7: database \"shop\": public.people.email: it is unique")
                .contains(file + " line 8: public.people.id: the table has no such column");
    }

    @Test
    void a_test_prints_values_before_and_after() throws IOException {
        api.on("POST " + P + "/branches/" + MAIN + "/masking_test", 200, """
                {"databases":[{"database_name":"shop","tables":[{"schema_name":"public","table_name":"people",
                 "columns":[{"column_name":"email"},{"column_name":"note"}],
                 "rows":[{"before":["a@b.de",null],"after":["x@y.de",null]}]}],"warnings":["public.people.id has no rule"]}]}""");
        environment.put("COPPICE_ROLE_PASSWORD", "secret");
        assertThat(run("masking", "test", "--rules", file(RULES).toString(), "--role", "reader", "--rows", "3"))
                .isZero();
        assertThat(out.toString()).isEqualTo("""
                TABLE               ROW  COLUMN  BEFORE    AFTER
                shop.public.people  1    email   'a@b.de'  'x@y.de'
                shop.public.people  1    note    NULL      NULL
                note: shop: public.people.id has no rule
                """);
        assertThat(lastRequest()).contains("\"role_name\":\"reader\"", "\"password\":\"secret\"", "\"rows\":3");
    }

    @Test
    void suggestions_are_a_table_or_a_rule_file_that_can_be_read_back() throws IOException {
        api.on("POST " + P + "/branches/" + MAIN + "/masking_suggestions", 200, """
                {"suggestions":[
                {"database_name":"shop","schema_name":"public","table_name":"people","column_name":"email","masking_function":
                 "pseudonym_email()","category":"email","confidence":0.98,"certainty":"certain","reason":"e-mail address: it is called so"},
                {"database_name":"shop","schema_name":"public","table_name":"people","column_name":"doc","path":"$.phone",
                 "masking_function":"dummy_phone_number()","certainty":"likely","confidence":0.75,"reason":"phone number: it is called so"},
                {"database_name":"shop","schema_name":"public","table_name":"a.b","column_name":"note","masking_function":"dummy_words()",
                 "certainty":"possible","confidence":0.45,"reason":"free text"}],
                 "columns_looked_at":9,"notes":["shop.public.x: permission denied"]}""");
        assertThat(run("masking", "suggest")).isZero();
        assertThat(out.toString())
                .contains("shop.public.people.email", "certain", "pseudonym_email()", "note: shop.public.x");
        out.getBuffer().setLength(0);
        assertThat(run("masking", "suggest", "--as-rules")).isZero();
        RuleFile.RuleSet read = RuleFile.read(file(out.toString())).set("suggested");
        assertThat(read.body()
                        .path("masking_rules")
                        .valueStream()
                        .map(rule -> rule.path("column_name").asString() + " "
                                + rule.path("path").asString("") + " "
                                + rule.path("masking_function").asString()))
                .containsExactly("email  pseudonym_email()", "doc $.phone dummy_phone_number()");
    }

    @Test
    void a_role_is_masked_shown_and_let_be() {
        String role = """
                {"role_name":"a b","masking_rule_set":"dev","max_lag_seconds":600,"inherited":%s,"view_state":"none"}""";
        String path = P + "/branches/" + MAIN + "/roles/a%20b/masking";
        api.on("PUT " + path, 200, "{\"masked_role\":" + role.formatted(false) + "}")
                .on("DELETE " + path, 200, "{\"masked_role\":" + role.formatted(true) + "}")
                .on(
                        "GET " + P + "/branches/" + MAIN + "/masked_roles",
                        200,
                        "{\"masked_roles\":[" + role.formatted(false) + "]}")
                .on("GET " + P + "/branches/" + MAIN + "/masking_rules", 404, "{\"message\":\"no anonymized branch\"}");
        assertThat(run("masking", "role", "a b", "--branch", "main", "--rules", "dev", "--max-lag", "10m"))
                .isZero();
        assertThat(lastRequest()).contains("\"masking_rule_set\":\"dev\"", "\"max_lag_seconds\":600");
        assertThat(out.toString()).contains("10m");
        assertThat(run("masking", "show", "--branch", "main", "-o", "json")).isZero();
        assertThat(out.toString()).contains("\"masked_roles\"");
        assertThat(run("masking", "role", "a b", "--off")).isZero();
        assertThat(out.toString()).contains("still masked");
        assertThat(List.of(
                        run("masking", "role", "a b", "--max-lag", "soon"),
                        run("masking", "role", "a b", "--off", "--max-lag", "5m"),
                        run("masking", "role")))
                .containsOnly(CliException.USAGE);
    }

    @Test
    void rules_are_stored_shown_and_applied_to_a_branch() throws IOException {
        String stored = """
                {"masking_rule_set":{"name":"dev","masking_policy":"mask","updated_at":"2026-11-21T04:00:00Z","masking_rules":[
                {"database_name":"shop","schema_name":"public","table_name":"people","column_name":"email","masking_value":"'x: y'"}]}}""";
        api.on("PUT " + P + "/masking_rule_sets/dev", 200, stored)
                .on("GET " + P + "/masking_rule_sets/dev", 200, stored)
                .on("PATCH " + P + "/branches/" + MAIN + "/masking_rules", 200, "{\"masking_rules\":[]}")
                .on("POST " + P + "/branches/" + MAIN + "/anonymize", 200, "{\"state\":\"anonymized\"}");
        assertThat(run("masking", "apply", "--rules", file(RULES).toString())).isZero();
        assertThat(out.toString()).contains("dev   mask      1");
        out.getBuffer().setLength(0);
        assertThat(run("masking", "show", "--set", "dev", "--as-rules")).isZero();
        JsonNode again = RuleFile.read(file(out.toString())).set("dev").body();
        assertThat(again.at("/masking_rules/0/masking_function").asString()).isEqualTo("value('x: y')");
        assertThat(again.path("masking_policy").asString()).isEqualTo("mask");
        assertThat(run("masking", "apply", "--rules", file(RULES).toString(), "--branch", "main"))
                .isZero();
        assertThat(api.requests().stream()
                        .map(request -> request.replaceAll(" \\{.*", ""))
                        .toList())
                .endsWith(
                        "PATCH " + P + "/branches/" + MAIN + "/masking_rules",
                        "POST " + P + "/branches/" + MAIN + "/anonymize");
        assertThat(List.of(run("masking", "apply"), run("masking", "apply", "--branch", "main")))
                .containsOnly(CliException.USAGE);
    }
}
