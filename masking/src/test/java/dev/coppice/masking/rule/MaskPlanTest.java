package dev.coppice.masking.rule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.masking.function.value.RefusedFunctionException;
import dev.coppice.masking.layout.Attribute;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.RelationLayout;
import dev.coppice.masking.layout.ScalarType;
import dev.coppice.masking.page.RowCondition;
import dev.coppice.masking.rule.PlanBuilder.Policy;
import dev.coppice.masking.rule.TableDefinition.ForeignKey;
import dev.coppice.masking.rule.TableDefinition.Index;
import dev.coppice.masking.rule.TableDefinition.Kind;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class MaskPlanTest {
    private static RelationLayout layout(int oid, String name, Attribute... columns) {
        return new RelationLayout(oid, "public", name, List.of(columns));
    }

    private static Attribute column(int number, String name, ScalarType type, boolean notNull, char generated) {
        int length = type.length();
        return new Attribute(
                number, name, DataType.of(type), -1, length, type.alignment(), 'p', notNull, false, generated);
    }

    private static final TableDefinition PEOPLE = TableDefinition.of(
            layout(
                    1,
                    "people",
                    column(1, "id", ScalarType.INT8, true, '\0'),
                    Attribute.of(2, "email", ScalarType.TEXT),
                    Attribute.of(3, "country", ScalarType.TEXT),
                    Attribute.of(4, "born", ScalarType.DATE),
                    Attribute.of(5, "doc", ScalarType.JSONB),
                    column(6, "name", ScalarType.TEXT, true, '\0')),
            List.of(
                    new Index(11, "people_pkey", Set.of(1), true, false),
                    new Index(12, "people_email", Set.of(2), true, false),
                    new Index(13, "people_lower", Set.of(2, 3), false, false),
                    new Index(14, "people_excl", Set.of(4), false, true)),
            List.of());

    private static final TableDefinition VISITS = TableDefinition.of(
            layout(
                    2,
                    "visits",
                    Attribute.of(1, "person", ScalarType.INT4),
                    Attribute.of(2, "visitor_email", ScalarType.VARCHAR),
                    Attribute.of(3, "note", ScalarType.TEXT)),
            List.of(new Index(21, "visits_person", Set.of(1), false, false)),
            List.of(
                    new ForeignKey("visits_person_fkey", List.of(1), 1, List.of(1)),
                    new ForeignKey("visits_email_fkey", List.of(2), 1, List.of(2))));

    private static MaskingRule rule(String table, String column, String function) {
        return new MaskingRule("public", table, column, function);
    }

    private static MaskingRule when(String table, String column, String function, String when) {
        return MaskingRule.of("public", table, column, function, null, null, when);
    }

    private static MaskPlan plan(MaskingRule... rules) {
        return PlanBuilder.build(List.of(rules), List.of(PEOPLE, VISITS), Policy.SHOW_UNDECLARED, "key");
    }

    private static void refused(String reason, MaskingRule... rules) {
        assertThatThrownBy(() -> plan(rules))
                .isInstanceOf(RefusedPlanException.class)
                .hasMessageContaining(reason);
    }

    @Test
    void masking_a_key_masks_what_refers_to_it_and_names_the_indexes_to_rebuild() {
        MaskPlan plan = plan(rule("people", "id", "pseudonym()"), rule("people", "country", "blank()"));
        assertThat(plan.table(2).orElseThrow().descriptions()).containsOnlyKeys("person");
        assertThat(plan.table(1).orElseThrow().descriptions()).containsOnlyKeys("id", "country");
        assertThat(plan.indexes()).containsExactlyInAnyOrder(11, 13, 21);
        assertThat(plan.codeVersion()).isEqualTo(MaskPlan.CODE_VERSION);
        MaskPlan other = plan(rule("visits", "visitor_email", "pseudonym_email()"));
        assertThat(other.table(1).orElseThrow().descriptions()).containsOnlyKeys("email");
        assertThat(plan()).extracting(MaskPlan::tables).isEqualTo(Map.of());
    }

    @Test
    void what_would_break_the_database_is_refused() {
        refused("does not keep distinct values distinct", rule("people", "email", "dummy_email()"));
        refused("does not keep distinct values distinct", rule("people", "id", "noise(0.1)"));
        refused("exclusion constraint people_excl", rule("people", "born", "noise('3 days')"));
        refused("NOT NULL", rule("people", "name", "null()"));
        refused("no such column", rule("people", "nickname", "blank()"));
        refused("there is no table public.persons", rule("persons", "id", "blank()"));
        refused(
                "have different rules",
                rule("people", "email", "pseudonym()"),
                rule("visits", "visitor_email", "pseudonym_email()"));
        refused("declared safe and masked", rule("people", "country", "keep()"), rule("people", "country", "blank()"));
        refused("never apply", rule("people", "country", "blank()"), rule("people", "country", "hash()"));
        refused("a masked row could get the value", when("people", "email", "pseudonym()", "country = 'DE'"));
        refused("noise() cannot mask country of type text", rule("people", "country", "noise(1)"));
    }

    @Test
    void all_reasons_are_told_at_once() {
        assertThatThrownBy(() -> plan(rule("people", "nickname", "blank()"), rule("people", "id", "blank()")))
                .isInstanceOfSatisfying(
                        RefusedPlanException.class,
                        e -> assertThat(e.problems()).hasSize(3));
    }

    @Test
    void partitions_children_generated_columns_and_views_are_followed() {
        TableDefinition root = new TableDefinition(
                layout(10, "events", Attribute.of(1, "day", ScalarType.DATE), Attribute.of(2, "who", ScalarType.TEXT)),
                Kind.PARTITIONED_TABLE,
                List.of(),
                List.of(),
                Set.of(),
                Set.of(1),
                Map.of(),
                Set.of());
        TableDefinition part = new TableDefinition(
                layout(
                        11,
                        "events_1",
                        Attribute.of(1, "who", ScalarType.TEXT),
                        Attribute.of(2, "day", ScalarType.DATE),
                        column(3, "who_lower", ScalarType.TEXT, false, 's')),
                Kind.TABLE,
                List.of(),
                List.of(),
                Set.of(10),
                Set.of(),
                Map.of(3, Set.of(1)),
                Set.of());
        TableDefinition view = new TableDefinition(
                layout(12, "report", Attribute.of(1, "who", ScalarType.TEXT)),
                Kind.MATERIALIZED_VIEW,
                List.of(),
                List.of(),
                Set.of(),
                Set.of(),
                Map.of(),
                Set.of(11));
        TableDefinition second = new TableDefinition(
                layout(13, "report2", Attribute.of(1, "who", ScalarType.TEXT)),
                Kind.MATERIALIZED_VIEW,
                List.of(),
                List.of(),
                Set.of(),
                Set.of(),
                Map.of(),
                Set.of(12));
        List<TableDefinition> all = List.of(root, part, view, second);
        assertThatThrownBy(() -> PlanBuilder.build(
                        List.of(rule("events", "who", "pseudonym()")), all, Policy.SHOW_UNDECLARED, "k"))
                .hasMessageContaining("who_lower is generated from the masked column who");
        MaskPlan plan = PlanBuilder.build(
                List.of(rule("events", "who", "pseudonym()"), rule("events_1", "who_lower", "pseudonym()")),
                all,
                Policy.SHOW_UNDECLARED,
                "k");
        assertThat(plan.tables()).containsOnlyKeys(10, 11);
        assertThat(plan.table(11).orElseThrow().columns())
                .extracting(mask -> mask.number())
                .containsExactly(1, 3);
        assertThat(plan.views()).containsExactlyInAnyOrder(12, 13);
        assertThatThrownBy(() -> PlanBuilder.build(
                        List.of(rule("events", "day", "noise('2 days')")), all, Policy.SHOW_UNDECLARED, "k"))
                .hasMessageContaining("partitioned by it");
    }

    @Test
    void undeclared_columns_can_be_masked_by_policy() {
        assertThatThrownBy(() -> PlanBuilder.build(List.of(), List.of(PEOPLE, VISITS), Policy.MASK_UNDECLARED, "k"))
                .hasMessageContaining("exclusion");
        MaskPlan plan = PlanBuilder.build(
                List.of(
                        rule("people", "born", "keep()"),
                        rule("people", "country", "keep()"),
                        rule("visits", "note", "dummy_words()")),
                List.of(PEOPLE, VISITS),
                Policy.MASK_UNDECLARED,
                "k");
        assertThat(plan.table(1).orElseThrow().descriptions())
                .isEqualTo(Map.of("id", "pseudonym()", "email", "pseudonym()", "doc", "blank()", "name", "blank()"));
        assertThat(plan.table(2).orElseThrow().descriptions())
                .isEqualTo(Map.of("person", "pseudonym()", "visitor_email", "pseudonym()", "note", "dummy_words()"));
        assertThat(plan.warnings()).hasSizeGreaterThan(3);
    }

    private record TestRow(Map<Integer, RowCondition.Field> fields) implements RowCondition.Row {
        @Override
        public RowCondition.Field field(int number) {
            return fields.getOrDefault(number, RowCondition.Absent.NULL);
        }
    }

    private static boolean holds(String condition, Object country, int days) {
        RowCondition bound = BoundCondition.bind(Condition.parse(condition), PEOPLE);
        RowCondition.Field field = country instanceof String text
                ? new RowCondition.Value(text.getBytes(StandardCharsets.UTF_8))
                : (RowCondition.Absent) country;
        byte[] date = {(byte) days, (byte) (days >> 8), (byte) (days >> 16), (byte) (days >> 24)};
        return bound.holds(new TestRow(Map.of(3, field, 4, new RowCondition.Value(date))));
    }

    @Test
    void conditions_are_sql_and_mask_in_doubt() {
        assertThat(holds("country = 'DE'", "DE", 0)).isTrue();
        assertThat(holds("country = 'DE'", "FR", 0)).isFalse();
        assertThat(holds("country <> 'DE' and born < '2001-01-01'", "FR", 0)).isTrue();
        assertThat(holds("country in ('DE', 'AT') or born >= '2001-01-01'", "FR", 0))
                .isFalse();
        assertThat(holds("not (country like 'D_%' or born is null)", "DEU", 0)).isFalse();
        assertThat(holds("country not in ('DE')", "AT", 0)).isTrue();
        assertThat(holds("country like '100\\%'", "100%", 0)).isTrue();
        assertThat(holds("country like '100\\%'", "1000", 0)).isFalse();
        // Unknown masks; what is false whatever the unknown is does not.
        assertThat(holds("country = 'DE'", RowCondition.Absent.NULL, 0)).isTrue();
        assertThat(holds("country = 'DE'", RowCondition.Absent.UNREADABLE, 0)).isTrue();
        assertThat(holds("country = 'DE' and born > '2001-01-01'", RowCondition.Absent.NULL, 0))
                .isFalse();
        assertThat(holds("country is null", RowCondition.Absent.UNREADABLE, 0)).isFalse();
        for (String bad : List.of(
                "country =", "country = 'x", "= 'x'", "country = lower('x')", "(country = 'x'", "country ~ 'x'")) {
            assertThatThrownBy(() -> Condition.parse(bad))
                    .isInstanceOf(RefusedFunctionException.class)
                    .hasMessageContaining("character");
        }
        for (String bad : List.of("nothing = 'x'", "country < 'x'", "doc = 'x'", "born = 'x'", "born like 'x'")) {
            assertThatThrownBy(() -> BoundCondition.bind(Condition.parse(bad), PEOPLE))
                    .as(bad)
                    .isInstanceOf(RefusedFunctionException.class);
        }
        assertThat(Condition.parse("a = 1 and not (b is null or c in (1, 2))").columns())
                .containsExactly("a", "b", "c");
    }
}
