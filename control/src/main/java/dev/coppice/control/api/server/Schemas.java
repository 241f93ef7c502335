package dev.coppice.control.api.server;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Makes JSON schemas of the records that the API reads and writes: what is not {@code @Nullable} is required. */
final class Schemas {
    private final Map<String, Object> all = new TreeMap<>();
    private final Map<String, Class<?>> holders = new HashMap<>();

    /** @param holders the classes whose nested records are read and written */
    Schemas(List<Class<?>> holders) {
        holders.forEach(holder -> this.holders.put(holder.getSimpleName(), holder));
    }

    Map<String, Object> all() {
        return all;
    }

    /**
     * A reference to the schema of a record of one of the holders.
     *
     * @param name such as {@code Views.Project}; with {@code []} a list of them
     */
    Map<String, Object> named(String name) {
        if (name.endsWith("[]")) {
            return OpenApi.ordered("type", "array", "items", named(name.substring(0, name.length() - 2)));
        }
        int dot = name.indexOf('.');
        Class<?> holder = dot < 0 ? null : holders.get(name.substring(0, dot));
        if (holder != null) {
            String nested = name.substring(dot + 1);
            for (Class<?> type : holder.getDeclaredClasses()) {
                if (type.getSimpleName().equals(nested)) {
                    return add(type);
                }
            }
        }
        throw new IllegalStateException("there is no record " + name);
    }

    /** Adds a record's schema with those that it needs; answers a reference. */
    Map<String, Object> add(Class<?> type) {
        String name = name(type);
        if (!all.containsKey(name)) {
            Map<String, Object> schema = new LinkedHashMap<>();
            all.put(name, schema);
            fill(schema, type);
        }
        return Map.of("$ref", "#/components/schemas/" + name);
    }

    /** The records of views and bodies by their names, others with the name of what they belong to. */
    private static String name(Class<?> type) {
        Class<?> holder = type.getEnclosingClass();
        String prefix = holder == null ? "" : holder.getSimpleName().replaceAll("(Routes|Views|Bodies)$", "");
        // A body and a view may have the same name.
        boolean read = holder != null && holder.getSimpleName().endsWith("Bodies");
        return prefix + type.getSimpleName() + (read ? "Request" : "");
    }

    private void fill(Map<String, Object> schema, Class<?> type) {
        Map<String, Object> properties = new LinkedHashMap<>();
        List<String> required = new ArrayList<>();
        for (RecordComponent component : type.getRecordComponents()) {
            String name = fieldName(component);
            AnnotatedType annotated = component.getAnnotatedType();
            properties.put(name, of(annotated.getType()));
            if (!annotated.isAnnotationPresent(Nullable.class)) {
                required.add(name);
            }
        }
        schema.put("type", "object");
        schema.put("properties", properties);
        if (!required.isEmpty()) {
            schema.put("required", required);
        }
    }

    private static String fieldName(RecordComponent component) {
        JsonProperty given = component.getAccessor().getAnnotation(JsonProperty.class);
        return given == null
                ? component.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT)
                : given.value();
    }

    private Map<String, Object> of(Type type) {
        return switch (type) {
            case Class<?> simple -> of(simple);
            case ParameterizedType generic
            when generic.getRawType() == List.class ->
                OpenApi.ordered("type", "array", "items", of(generic.getActualTypeArguments()[0]));
            case ParameterizedType generic
            when generic.getRawType() == Map.class ->
                OpenApi.ordered("type", "object", "additionalProperties", of(generic.getActualTypeArguments()[1]));
            default -> Map.of();
        };
    }

    private Map<String, Object> of(Class<?> type) {
        if (type == String.class) {
            return Map.of("type", "string");
        }
        if (type == Instant.class) {
            return OpenApi.ordered("type", "string", "format", "date-time");
        }
        if (type == int.class || type == Integer.class || type == long.class || type == Long.class) {
            return Map.of("type", "integer");
        }
        if (type == double.class || type == Double.class) {
            return Map.of("type", "number");
        }
        if (type == boolean.class || type == Boolean.class) {
            return Map.of("type", "boolean");
        }
        return type.isRecord() ? add(type) : Map.of();
    }
}
