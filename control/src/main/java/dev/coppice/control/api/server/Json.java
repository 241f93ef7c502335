package dev.coppice.control.api.server;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.coppice.control.error.ControlException;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.cfg.CoercionAction;
import tools.jackson.databind.cfg.CoercionInputShape;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.type.LogicalType;

/**
 * JSON as Neon's clients write and read it: snake case, absent instead of null, ISO times. Unknown fields are ignored, since
 * clients send settings of features that are not here; a known field of the wrong type is refused by name.
 */
final class Json {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .changeDefaultPropertyInclusion(include -> include.withValueInclusion(JsonInclude.Include.NON_NULL))
            // Of two fields of a name the last would win without a word.
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .withCoercionConfig(LogicalType.Textual, config -> {
                for (CoercionInputShape shape : new CoercionInputShape[] {
                    CoercionInputShape.Integer, CoercionInputShape.Float, CoercionInputShape.Boolean
                }) {
                    config.setCoercion(shape, CoercionAction.Fail);
                }
            })
            .build();

    private Json() {}

    static byte[] write(Object value) {
        return MAPPER.writeValueAsBytes(value);
    }

    /**
     * Reads a request body.
     *
     * @throws ControlException INVALID, naming the field
     */
    static <T> T read(byte[] body, Class<T> type) {
        try {
            @Nullable T value = MAPPER.readValue(body, type);
            if (value == null) {
                throw ControlException.invalid("the request body must be a JSON object");
            }
            return value;
        } catch (DatabindException e) {
            throw new ControlException(ControlException.Kind.INVALID, message(e), e);
        } catch (JacksonException e) {
            throw new ControlException(
                    ControlException.Kind.INVALID, "the request body is not JSON: " + e.getOriginalMessage(), e);
        }
    }

    private static String message(DatabindException e) {
        StringBuilder field = new StringBuilder();
        for (JacksonException.Reference step : e.getPath()) {
            String name = step.getPropertyName();
            if (name != null) {
                field.append(field.isEmpty() ? "" : ".").append(name);
            } else {
                field.append('[').append(step.getIndex()).append(']');
            }
        }
        return (field.isEmpty() ? "the request body" : field) + ": has a wrong type or form";
    }
}
