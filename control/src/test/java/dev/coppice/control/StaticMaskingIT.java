package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.TimelineId;
import dev.coppice.control.branch.Made;
import dev.coppice.control.masking.RuleSet;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Rules with SQL expressions: what they leave is scanned like everything else that a branch is served. */
class StaticMaskingIT {
    private static final Map<String, byte[]> SECRETS = Map.of(
            "text", "zqcanary".getBytes(StandardCharsets.UTF_8), "other", "qxcanary".getBytes(StandardCharsets.UTF_8));

    private static ControlFixture fixture;
    private static MaskedParent parent;

    @BeforeAll
    static void seed() throws Exception {
        fixture = new ControlFixture(-1);
        parent = new MaskedParent(fixture, "statics");
        parent.execute(
                parent.endpoint,
                "CREATE TABLE people (id int PRIMARY KEY, name text, note text, doc jsonb, long_plain text, shown text,"
                        + " lower_name text GENERATED ALWAYS AS (lower(name)) STORED)",
                "ALTER TABLE people ALTER long_plain SET STORAGE EXTERNAL",
                "CREATE TABLE audit (at timestamptz, what text)",
                "CREATE FUNCTION audited() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES (now(),"
                        + " NEW.name); RETURN NEW; END $$",
                "CREATE TRIGGER audited AFTER UPDATE ON people FOR EACH ROW EXECUTE FUNCTION audited()",
                "INSERT INTO people SELECT n, 'zqcanary name ' || n, 'qxcanary note ' || n, jsonb_build_object('k',"
                        + " 'zqcanary ' || n, 'size', n), repeat('zqcanary ' || n, 700), 'shown ' || n"
                        + " FROM generate_series(1, 200) n",
                "UPDATE people SET name = 'zqcanary updated ' || id WHERE id % 3 = 0",
                "TRUNCATE audit",
                "DELETE FROM people WHERE id % 7 = 0",
                "DO $$ BEGIN INSERT INTO people (id, name) VALUES (1000, 'zqcanary undone'); RAISE 'no';"
                        + " EXCEPTION WHEN raise_exception THEN NULL; END $$",
                "ALTER TABLE people ADD COLUMN added text DEFAULT 'zqcanary added'",
                "CREATE INDEX ON people (name)",
                "CREATE INDEX ON people (lower(name), note)",
                "CREATE INDEX ON people USING gin (doc)",
                "CREATE VIEW people_names AS SELECT id, name FROM people",
                "CREATE MATERIALIZED VIEW people_copy AS SELECT * FROM people_names",
                "CREATE TABLE parts (id int, name text) PARTITION BY RANGE (id)",
                "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100)",
                "INSERT INTO parts SELECT n, 'zqcanary part ' || n FROM generate_series(1, 50) n",
                "CREATE TABLE keys (id int PRIMARY KEY, code text UNIQUE, number int)",
                "CREATE TABLE refers (code text REFERENCES keys (code), n int)",
                "INSERT INTO keys VALUES (1, 'a', 1)",
                "ANALYZE");
    }

    @AfterAll
    static void close() throws IOException {
        fixture.close();
    }

    private static RuleSet rules() {
        return parent.rules(
                parent.rule(
                        "people",
                        "name",
                        "sql(CASE WHEN id % 2 = 0 THEN 'even; ' || md5(name) ELSE left(replace(name, 'zqcanary', 'it''s'), 4) END)"),
                parent.rule("people", "doc", "sql( jsonb_build_object('size', doc -> 'size') )"),
                parent.rule("people", "long_plain", "SQL(length(long_plain)::text)"),
                parent.rule("people", "added", "sql(NULL)"),
                // One that is masked page by page, in the same table.
                parent.rule("people", "note", "pseudonym()"),
                parent.rule("parts", "name", "sql('part ' || id)"));
    }

    private static LeakScan scan(Made made) throws IOException {
        return new LeakScan(SECRETS)
                .over(fixture.pages.timeline(new TimelineId(made.branch().timelineId())));
    }

    @Test
    void no_row_as_it_was_is_in_the_branch_and_values_are_what_the_expressions_say() throws Exception {
        Made made = parent.anonymized("static", rules());
        LeakScan scan = scan(made);
        assertThat(scan.places()).isEmpty();
        assertThat(scan.bytes()).isGreaterThan(5 << 20);
        String endpoint = made.endpoint().orElseThrow().id();
        try (Connection connection = parent.connect(endpoint)) {
            assertThat(MaskedParent.findings(connection)).isEmpty();
            assertThat(MaskedParent.column(
                            connection,
                            "SELECT bool_and(CASE WHEN id % 2 = 0 THEN name ~ '^even; [0-9a-f]{32}$' ELSE name = 'it''s' END"
                                    + " AND lower_name = lower(name) AND doc = jsonb_build_object('size', id)"
                                    + " AND length(long_plain) = 4 AND added IS NULL AND shown = 'shown ' || id"
                                    + " AND note NOT LIKE 'qxcanary%')::text || count(*) FROM people"))
                    .containsExactly("true172");
            assertThat(MaskedParent.column(connection, "SELECT bool_and(name = 'part ' || id)::text FROM parts"))
                    .containsExactly("true");
            assertThat(MaskedParent.column(connection, "SELECT count(*)::text FROM audit"))
                    .containsExactly("0");
            assertThat(MaskedParent.column(
                            connection, "SELECT count(*)::text FROM people_copy JOIN people USING (id, name)"))
                    .containsExactly("172");
            assertThat(MaskedParent.column(
                            connection, "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"))
                    .isEmpty();
        }
        // The parent is what it was.
        assertThat(parent.value(parent.endpoint, "SELECT count(*)::text FROM people WHERE name LIKE 'zqcanary%'"))
                .isEqualTo("172");
        Made child = parent.child("of-static", made.branch().id());
        assertThat(scan(child).places()).isEmpty();
        // Nothing below is within reach, and a reset applies them to what the parent has then.
        parent.execute(parent.endpoint, "INSERT INTO parts VALUES (60, 'zqcanary new')");
        parent.declared().replaceRules(parent.project, made.branch().id(), rules());
        fixture.delete(
                "/projects/" + parent.project + "/branches/" + child.branch().id());
        parent.reanonymization().anonymize(parent.project, made.branch().id());
        assertThat(parent.value(endpoint, "SELECT name FROM parts WHERE id = 60"))
                .isEqualTo("part 60");
        // After a restart the frozen rules are understood again.
        fixture.shutDown();
        fixture.open();
        assertThat(parent.value(endpoint, "SELECT name FROM parts WHERE id = 60"))
                .isEqualTo("part 60");
    }

    @Test
    void what_cannot_be_safe_is_refused_with_the_reason() throws Exception {
        for (Map.Entry<List<String>, String> each : Map.of(
                        List.of("keys", "code", "sql('x')"), "must stay unique",
                        List.of("keys", "id", "sql(id + 1)"), "must stay unique",
                        List.of("refers", "code", "sql('x')"), "foreign key",
                        List.of("people", "lower_name", "sql('x')"), "generated column",
                        List.of("parts", "id", "sql(1)"), "partitioned by",
                        List.of("people_copy", "name", "sql('x')"), "materialized view",
                        List.of("people", "none", "sql('x')"), "no such column")
                .entrySet()) {
            List<String> rule = each.getKey();
            assertThatThrownBy(() -> parent.anonymized(
                            "refused", parent.rules(parent.rule(rule.get(0), rule.get(1), rule.get(2)))))
                    .as(rule.toString())
                    .hasMessageContaining(each.getValue());
        }
        for (String expression : List.of(
                "sql()",
                "sql('x'",
                "sql('x'), note = (name)",
                "sql(name) WHERE (false)",
                "sql('x'); DROP TABLE people",
                "sql('x' -- )",
                "sql('x' /* )",
                "sql($$x$$)",
                "sql(E'\\\\'')",
                "sql('x)")) {
            assertThatThrownBy(
                            () -> parent.anonymized("refused", parent.rules(parent.rule("people", "name", expression))))
                    .as(expression)
                    .hasMessageContaining("people.name");
        }
        // What Postgres says of a value stays unsaid.
        assertThatThrownBy(() ->
                        parent.anonymized("refused", parent.rules(parent.rule("people", "name", "sql(name::int)"))))
                .hasMessageContaining("22P02")
                .hasMessageNotContaining("canary");
        parent.execute(parent.endpoint, "ALTER TABLE people ENABLE ALWAYS TRIGGER audited");
        assertThatThrownBy(() -> parent.anonymized("refused", parent.rules(parent.rule("people", "name", "sql('x')"))))
                .hasMessageContaining("audited");
        parent.execute(parent.endpoint, "ALTER TABLE people ENABLE TRIGGER audited");
    }
}
