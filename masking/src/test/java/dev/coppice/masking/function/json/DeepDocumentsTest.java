package dev.coppice.masking.function.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.masking.format.JsonValue;
import dev.coppice.masking.format.JsonValue.JsonArray;
import dev.coppice.masking.format.JsonValue.JsonObject;
import dev.coppice.masking.format.JsonValue.JsonString;
import dev.coppice.masking.format.JsonValue.Member;
import dev.coppice.masking.format.Jsonb;
import dev.coppice.masking.format.MalformedValueException;
import dev.coppice.masking.function.ColumnTarget;
import dev.coppice.masking.function.FunctionCall;
import dev.coppice.masking.function.MaskFunctions;
import dev.coppice.masking.function.StoredText;
import dev.coppice.masking.function.TestValues;
import dev.coppice.masking.function.value.ValueMask;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.ScalarType;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Documents deeper than a stack: whoever may insert a row can make one. */
class DeepDocumentsTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 480, 20_000, Jsonb.MAX_DEPTH - 1})
    void a_nested_jsonb_is_masked_to_its_bottom(int depth) {
        ValueMask mask = bind("$..x", ScalarType.JSONB);
        byte[] masked = Objects.requireNonNull(mask.mask(TestValues.random(), Jsonb.encode(nested(depth, "secret"))));
        assertThat(masked).isEqualTo(Jsonb.encode(nested(depth, "")));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 480, 20_000, Jsonb.MAX_DEPTH - 1})
    void a_nested_json_text_is_masked_to_its_bottom(int depth) {
        ValueMask mask = bind("$..x", ScalarType.JSON);
        String document = "{\"y\":[".repeat(depth / 2) + "{\"x\": \"secret\", \"z\": 1}" + "]}".repeat(depth / 2);
        byte[] masked =
                Objects.requireNonNull(mask.mask(TestValues.random(), document.getBytes(StandardCharsets.UTF_8)));
        assertThat(new String(masked, StandardCharsets.UTF_8)).isEqualTo(document.replace("secret", ""));
    }

    @Test
    void what_is_deeper_than_the_limit_is_refused() {
        byte[] document = Jsonb.encode(nested(Jsonb.MAX_DEPTH, "secret"));
        assertThatThrownBy(() -> bind("$..x", ScalarType.JSONB).mask(TestValues.random(), document))
                .isInstanceOf(MalformedValueException.class)
                .hasMessageContaining("nested deeper than " + Jsonb.MAX_DEPTH);
        byte[] text = "[".repeat(Jsonb.MAX_DEPTH + 1).getBytes(StandardCharsets.UTF_8);
        assertThatThrownBy(() -> bind("$..x", ScalarType.JSON).mask(TestValues.random(), text))
                .isInstanceOf(MalformedValueException.class);
    }

    @Test
    void a_nested_jsonb_is_shown_as_text() {
        String text = StoredText.of(DataType.of(ScalarType.JSONB), Jsonb.encode(nested(20_000, "shown")));
        assertThat(text)
                .startsWith("{\"y\": [{\"y\": [")
                .contains("{\"x\": \"shown\"}")
                .endsWith("]}]}");
    }

    private static ValueMask bind(String path, ScalarType type) {
        return MaskFunctions.bindPaths(
                        List.of(new MaskFunctions.PathCall(JsonPath.parse(path), FunctionCall.parse("blank()"))),
                        new ColumnTarget("c", DataType.of(type), -1))
                .mask();
    }

    /** Objects and arrays in turn, and at the bottom {@code {"x": secret}}: as many containers as {@code depth} and one. */
    private static JsonValue nested(int depth, String secret) {
        JsonValue value = new JsonObject(List.of(new Member(utf8("x"), new JsonString(utf8(secret)))));
        for (int i = 0; i < depth; i++) {
            value = i % 2 == 0 ? new JsonArray(List.of(value)) : new JsonObject(List.of(new Member(utf8("y"), value)));
        }
        return value;
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
