package dev.coppice.masking.function;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.format.JsonValue;
import dev.coppice.masking.format.JsonValue.JsonLiteral;
import dev.coppice.masking.format.JsonValue.JsonObject;
import dev.coppice.masking.format.JsonValue.JsonString;
import dev.coppice.masking.format.JsonValue.Member;
import dev.coppice.masking.format.Jsonb;
import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.format.MalformedValueException;
import dev.coppice.masking.function.MaskFunctions.PathCall;
import dev.coppice.masking.function.json.JsonPath;
import dev.coppice.masking.function.value.RefusedFunctionException;
import dev.coppice.masking.function.value.Uniqueness;
import dev.coppice.masking.function.value.ValueMask;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.DataType.Enumeration;
import dev.coppice.masking.layout.DataType.Label;
import dev.coppice.masking.layout.DataType.Range;
import dev.coppice.masking.layout.ScalarType;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TypesTest {
    private static final HexFormat HEX = HexFormat.of();

    private final PseudoRandom random = TestValues.random();

    private String json(String document, String... pathsAndCalls) {
        ValueMask mask = MaskFunctions.bindPaths(
                        calls(pathsAndCalls), new ColumnTarget("c", DataType.of(ScalarType.JSON), -1))
                .mask();
        return TestValues.text(random, mask, document);
    }

    private static List<PathCall> calls(String... pathsAndCalls) {
        List<PathCall> calls = new java.util.ArrayList<>();
        for (int i = 0; i < pathsAndCalls.length; i += 2) {
            calls.add(new PathCall(JsonPath.parse(pathsAndCalls[i]), FunctionCall.parse(pathsAndCalls[i + 1])));
        }
        return calls;
    }

    @Test
    void parts_of_a_json_text_are_masked_and_the_rest_stays_as_it_was_written() {
        String document =
                "{ \"id\": 17, \"email\" : \"jane.doe@acme.com\",\n \"tags\": [ \"a\", \"bc\" ], \"a\": {\"email\":\"x@y.org\"}, \"ok\": true }";
        assertThat(json(document, "$.email", "value('***')")).isEqualTo(document.replace("jane.doe@acme.com", "***"));
        assertThat(json(document, "$..email", "value('?')"))
                .isEqualTo(document.replace("jane.doe@acme.com", "?").replace("x@y.org", "?"));
        assertThat(json(document, "$.tags[1]", "value('?')")).isEqualTo(document.replace("bc", "?"));
        assertThat(json(document, "$.tags[*]", "value('?')"))
                .isEqualTo(document.replace("\"a\", \"bc\"", "\"?\", \"?\""));
        assertThat(json(document, "$.a.*", "blank()")).isEqualTo(document.replace("x@y.org", ""));
        assertThat(json(document, "$.id", "value(3)")).isEqualTo(document.replace("17", "3"));
        assertThat(json(document, "$.id", "value(333)")).isEqualTo(document.replace("17", "0"));
        assertThat(json(document, "$.ok", "blank()")).isEqualTo(document.replace("true", "null"));
        assertThat(json(document, "$.none", "blank()")).isEqualTo(document);
        // A function for texts only blanks numbers, and the other way round.
        assertThat(json(document, "$", "value('?')"))
                .isEqualTo(
                        "{ \"id\": 0, \"email\" : \"?\",\n \"tags\": [ \"?\", \"?\" ], \"a\": {\"email\":\"?\"}, \"ok\": null }");
    }

    @Test
    void escapes_in_json_are_understood_and_never_make_it_longer() {
        assertThat(json("\"\\u0041\\n\\\"\\\\b\"", "$", "pseudonym()")).matches("\"[A-Z]\\\\n\\\\\"\\\\\\\\[a-z]\"");
        assertThat(json("[\"ab\"]", "$[*]", "value('\"\"')")).isEqualTo("[\"\\\"\"]");
        assertThat(json("[1e1000000, 1.5e3]", "$[*]", "pseudonym()")).matches("\\[0, \\d+0*\\]");
        for (String broken : List.of("{", "[1,", "\"x", "{\"a\" 1}", "tru", "[1] 2", "\"\\x\"", "[".repeat(5000))) {
            assertThatThrownBy(() -> json(broken, "$", "blank()")).isInstanceOf(MalformedValueException.class);
        }
    }

    @Test
    void parts_of_a_jsonb_document_are_masked() {
        JsonObject inner = new JsonObject(List.of(new Member(utf8("email"), new JsonString(utf8("x@y.org")))));
        JsonObject document = new JsonObject(List.of(
                new Member(utf8("a"), inner),
                new Member(utf8("ok"), JsonLiteral.TRUE),
                new Member(utf8("email"), new JsonString(utf8("jane@acme.com")))));
        ValueMask mask = MaskFunctions.bindPaths(
                        calls("$.a.email", "value('?')"), new ColumnTarget("c", DataType.of(ScalarType.JSONB), -1))
                .mask();
        JsonValue masked = Jsonb.decode(Objects.requireNonNull(mask.mask(random, Jsonb.encode(document))));
        String shown = new String(Jsonb.encode(masked), StandardCharsets.ISO_8859_1);
        assertThat(shown).contains("jane@acme.com").doesNotContain("x@y.org").contains("?");
        ValueMask all = TestValues.bind("pseudonym()", ScalarType.JSONB).mask();
        byte[] bytes = Objects.requireNonNull(all.mask(random, Jsonb.encode(document)));
        assertThat(bytes).hasSameSizeAs(Jsonb.encode(document));
        assertThat(new String(bytes, StandardCharsets.ISO_8859_1)).doesNotContain("jane", "x@y", "acme");
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void uuids_networks_and_bits_are_permuted_inside_their_kind() {
        Set<String> uuids = new HashSet<>();
        for (int i = 0; i < 5000; i++) {
            byte[] uuid = HEX.parseHex("0123456789ab4def8123456789%06x".formatted(i));
            byte[] masked = Objects.requireNonNull(
                    TestValues.bind("pseudonym()", ScalarType.UUID).mask().mask(random, uuid));
            String shown = HEX.formatHex(masked);
            assertThat(shown).matches("[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}");
            uuids.add(shown);
        }
        assertThat(uuids).hasSize(5000);
        Set<String> networks = new HashSet<>();
        ValueMask cidr = TestValues.bind("pseudonym()", ScalarType.CIDR).mask();
        for (int i = 0; i < 4096; i++) {
            byte[] masked = Objects.requireNonNull(
                    cidr.mask(random, new byte[] {2, 20, 10, (byte) (i >> 4), (byte) (i << 4), 0}));
            assertThat(masked[0]).isEqualTo((byte) 2);
            assertThat(masked[1]).isEqualTo((byte) 20);
            assertThat(masked[4] & 0x0F).isEqualTo(0);
            assertThat(masked[5]).isEqualTo((byte) 0);
            networks.add(HEX.formatHex(masked));
        }
        assertThat(networks).hasSize(4096);
        Set<String> bits = new HashSet<>();
        ValueMask bit = TestValues.bind("pseudonym()", ScalarType.BIT).mask();
        for (int i = 0; i < 1 << 11; i++) {
            byte[] masked = Objects.requireNonNull(
                    bit.mask(random, new byte[] {11, 0, 0, 0, (byte) (i >> 3), (byte) (i << 5)}));
            assertThat(masked[5] & 0x1F).isEqualTo(0);
            bits.add(HEX.formatHex(masked));
        }
        assertThat(bits).hasSize(1 << 11);
    }

    @Test
    void ranges_move_as_a_whole() {
        Range type = new Range("int4range", 3904, DataType.of(ScalarType.INT4));
        ValueMask mask = TestValues.bind("noise(100)", type).mask();
        byte[] range = HEX.parseHex("400f0000" + "0a000000" + "14000000" + "02");
        byte[] masked = Objects.requireNonNull(mask.mask(random, range));
        int by = LittleEndian.i32(masked, 4) - 10;
        assertThat(by).isBetween(-100, 100);
        assertThat(LittleEndian.i32(masked, 8)).isEqualTo(20 + by);
        assertThat(masked[12]).isEqualTo((byte) 2);
        byte[] empty = HEX.parseHex("400f000001");
        assertThat(mask.mask(random, empty)).isEqualTo(empty);
        assertThatThrownBy(() -> mask.mask(random, HEX.parseHex("400f00000a00")))
                .isInstanceOf(MalformedValueException.class);
    }

    @Test
    void labels_of_enums_are_drawn_or_set() {
        Enumeration mood = new Enumeration("mood", List.of(new Label(100, "sad"), new Label(102, "ok")));
        byte[] drawn = Objects.requireNonNull(
                TestValues.bind("random_in_enum()", mood).mask().mask(random, HEX.parseHex("64000000")));
        assertThat(LittleEndian.i32(drawn, 0)).isIn(100, 102);
        byte[] set = Objects.requireNonNull(
                TestValues.bind("value('ok')", mood).mask().mask(random, drawn));
        assertThat(LittleEndian.i32(set, 0)).isEqualTo(102);
        assertThatThrownBy(() -> TestValues.bind("value('happy')", mood)).hasMessageContaining("none of the labels");
    }

    /** Whatever can be declared for a type says what it does; nothing is bound that would fail on a value. */
    @ParameterizedTest
    @EnumSource(ScalarType.class)
    void every_type_can_be_nulled_and_all_but_lines_blanked(ScalarType type) {
        assertThat(TestValues.bind("null()", type).mask().mask(random, new byte[64]))
                .isNull();
        assertThat(TestValues.bind("value(NULL)", type).description()).isEqualTo("null()");
        if (type == ScalarType.LINE) {
            assertThatThrownBy(() -> TestValues.bind("blank()", type)).isInstanceOf(RefusedFunctionException.class);
            return;
        }
        byte[] blank =
                Objects.requireNonNull(TestValues.bind("blank()", type).mask().mask(random, new byte[64]));
        if (type.length() > 0) {
            assertThat(blank).hasSize(type.length());
        } else if (type != ScalarType.BPCHAR) {
            assertThat(blank.length).isLessThanOrEqualTo(ValueMask.SUBSTITUTE_CAPACITY);
        }
    }

    @Test
    void what_cannot_be_done_safely_is_refused_with_the_reason() {
        refused("dummy_email()", DataType.of(ScalarType.INT4), "dummy_email() cannot mask c of type int4", "pseudonym");
        refused("shuffle_column('t', 'c', 'id')", DataType.of(ScalarType.TEXT), "the other rows of the table");
        refused("partial(other, 1, '*', 1)", DataType.of(ScalarType.TEXT), "reads other", "condition (when)");
        refused("concat(c, 'x')", DataType.of(ScalarType.TEXT), "update the branch by SQL");
        refused("pseudonym()", DataType.of(ScalarType.BOOL), "random_bool");
        refused(
                "pseudonym()",
                new DataType.Unsupported("hyper", "its storage format is not known"),
                "null()",
                "format");
        refused("noise()", DataType.of(ScalarType.INT4), "needs an argument");
        refused("noise('x')", DataType.of(ScalarType.INT4), "must be a number");
        refused("noise('3 parsecs')", DataType.of(ScalarType.DATE), "no interval");
        refused("generalize('fortnight')", DataType.of(ScalarType.DATE), "no unit");
        refused("random_between(5, 1)", DataType.of(ScalarType.INT4), "above the second");
        refused("pseudonym(0, 99999999999)", DataType.of(ScalarType.INT4), "2147483647");
        refused("value('x')", DataType.of(ScalarType.INT4), "no number");
        refused("value('{1}')", DataType.arrayOf(ScalarType.INT4), "only '{}'");
        refused("partial(", DataType.of(ScalarType.TEXT), "character 9");
        refused("lower(c) || 'x'", DataType.of(ScalarType.TEXT), "can be updated in the branch by SQL");
        assertThatThrownBy(() -> JsonPath.parse("email")).hasMessageContaining("is no path");
    }

    private static void refused(String call, DataType type, String... reasons) {
        assertThatThrownBy(() -> TestValues.bind(call, type))
                .isInstanceOf(RefusedFunctionException.class)
                .message()
                .contains(reasons);
    }

    @Test
    void names_that_users_know_lead_to_functions_here() {
        for (String call : List.of(
                "anon.fake_first_name()",
                "anon.pseudo_last_name(c, 'salt')",
                "anon.dummy_city_locale('fr_FR')",
                "anon.partial_email(c)",
                "anon.hash(c)",
                "anon.digest(c, 'salt', 'sha256')",
                "anon.random_string(5)",
                "anon.dummy_free_email()",
                "anon.random_zip()",
                "anon.random_phone('+33')",
                "anon.lorem_ipsum(words := 3)")) {
            assertThat(TestValues.bind(call, ScalarType.TEXT).mask()).as(call).isNotNull();
        }
        assertThat(TestValues.bind("MASKED WITH FUNCTION anon.noise(c, 0.5)", ScalarType.INT4)
                        .description())
                .isEqualTo("noise(0.5)");
        assertThat(TestValues.bind("pseudonym()", ScalarType.TEXT).uniqueness()).isEqualTo(Uniqueness.PRESERVED);
        assertThat(TestValues.bind("hash()", ScalarType.TEXT).uniqueness()).isEqualTo(Uniqueness.NOT_GUARANTEED);
        assertThat(TestValues.bind("value('x'::text)", ScalarType.TEXT).uniqueness())
                .isEqualTo(Uniqueness.LOST);
        assertThat(TestValues.bind("pseudonym()", DataType.arrayOf(ScalarType.TEXT))
                        .uniqueness())
                .isEqualTo(Uniqueness.PRESERVED);
    }
}
