package dev.coppice.control.api.server;

import io.avaje.jex.Jex;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The API described in OpenAPI 3.0, at {@value #PATH}, for anybody: paths come from the registered routes, summaries and the names of bodies
 * from {@code operations.txt}, schemas from the records that are written and read. So none of them can be forgotten or outlive its route.
 */
public final class OpenApi {
    public static final String PATH = "/openapi.json";

    private static final String OPERATIONS = "operations.txt";
    private static final int COLUMNS = 6;
    private static final Pattern PARAMETER = Pattern.compile("\\{([a-z_]+)}");

    private final Routes routes;
    private final List<Class<?>> described;
    private final Map<String, Operation> operations = readOperations();
    private byte @Nullable [] document;

    /** @param described the classes whose nested records {@code operations.txt} names */
    public OpenApi(Routes routes, List<Class<?>> described) {
        this.routes = routes;
        this.described = described;
    }

    /**
     * A line of {@code operations.txt}.
     *
     * @param query names of the parameters, those that must be given with a {@code !}
     * @param body the record that is read; empty = none
     * @param answer the record that is written; empty = an object without a schema
     */
    record Operation(String key, String tag, String summary, List<String> query, String body, String answer) {}

    public void register(Jex jex, RouteMethods methods) {
        methods.add("GET", Routes.BASE + PATH);
        jex.get(Routes.BASE + PATH, context -> Routes.send(context, document()));
    }

    /** Of the operations that are described, those without a route, and the routes that are not described. */
    public List<String> mismatches() {
        Map<String, Operation> unused = new TreeMap<>(operations);
        List<String> mismatches = new ArrayList<>();
        for (Routes.Route route : routes.registered()) {
            if (unused.remove(key(route)) == null) {
                mismatches.add("no line in " + OPERATIONS + " for " + key(route));
            }
        }
        unused.keySet().forEach(key -> mismatches.add("no route for " + key));
        return mismatches;
    }

    private static String key(Routes.Route route) {
        return route.method() + ' ' + route.path();
    }

    private synchronized byte[] document() {
        byte[] known = document;
        if (known == null) {
            known = Json.write(describe());
            document = known;
        }
        return known;
    }

    private Map<String, Object> describe() {
        Schemas schemas = new Schemas(described);
        Map<String, Map<String, Object>> paths = new TreeMap<>();
        for (Routes.Route route : routes.registered()) {
            Operation operation =
                    operations.getOrDefault(key(route), new Operation(key(route), "Other", "", List.of(), "", ""));
            paths.computeIfAbsent(route.path(), _ -> new LinkedHashMap<>())
                    .put(route.method().toLowerCase(Locale.ROOT), describe(route, operation, schemas));
        }
        schemas.add(Failure.class);
        return ordered(
                "openapi",
                "3.0.3",
                "info",
                ordered(
                        "title",
                        "Coppice",
                        "version",
                        "v2",
                        "description",
                        "Postgres with instant branches. Paths and fields are those of Neon's API v2."),
                "servers",
                List.of(Map.of("url", Routes.BASE)),
                "security",
                List.of(Map.of("key", List.of())),
                "paths",
                paths,
                "components",
                ordered(
                        "securitySchemes",
                        Map.of("key", ordered("type", "http", "scheme", "bearer")),
                        "schemas",
                        schemas.all()));
    }

    private static Map<String, Object> describe(Routes.Route route, Operation operation, Schemas schemas) {
        List<Object> parameters = new ArrayList<>();
        PARAMETER
                .matcher(route.path())
                .results()
                .map(MatchResult::group)
                .map(group -> group.substring(1, group.length() - 1))
                .forEach(name -> parameters.add(parameter(name, "path", true)));
        for (String name : operation.query()) {
            boolean required = name.endsWith("!");
            parameters.add(parameter(required ? name.substring(0, name.length() - 1) : name, "query", required));
        }
        Map<String, Object> described =
                ordered("tags", List.of(operation.tag()), "summary", operation.summary(), "parameters", parameters);
        if (!operation.body().isEmpty()) {
            described.put("requestBody", content(schemas.named(operation.body()), Map.of()));
        }
        Map<String, Object> answer =
                operation.answer().isEmpty() ? Map.of("type", "object") : schemas.named(operation.answer());
        described.put(
                "responses",
                ordered(
                        route.method().equals("POST") && operation.answer().contains("Created") ? "201" : "200",
                        content(answer, Map.of("description", "Done")),
                        "default",
                        content(schemas.add(Failure.class), Map.of("description", "Refused or failed"))));
        return described;
    }

    private static Map<String, Object> parameter(String name, String in, boolean required) {
        return ordered("name", name, "in", in, "required", required, "schema", Map.of("type", "string"));
    }

    private static Map<String, Object> content(Map<String, Object> schema, Map<String, Object> more) {
        Map<String, Object> content = new LinkedHashMap<>(more);
        content.put("content", Map.of("application/json", Map.of("schema", schema)));
        return content;
    }

    /** @param namesAndValues a name, its value, and so on */
    static Map<String, Object> ordered(Object... namesAndValues) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            map.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return map;
    }

    private static Map<String, Operation> readOperations() {
        try (InputStream in = OpenApi.class.getResourceAsStream(OPERATIONS)) {
            if (in == null) {
                throw new IllegalStateException("the program lacks " + OPERATIONS);
            }
            Map<String, Operation> result = new HashMap<>();
            new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .map(OpenApi::operation)
                    .forEach(operation -> result.put(operation.key(), operation));
            return result;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + OPERATIONS, e);
        }
    }

    private static Operation operation(String line) {
        String[] columns = line.split("\\|", -1);
        if (columns.length != COLUMNS) {
            throw new IllegalStateException(OPERATIONS + " has a line without " + COLUMNS + " columns: " + line);
        }
        List<String> query =
                columns[3].isBlank() ? List.of() : List.of(columns[3].strip().split("\\s+"));
        return new Operation(
                columns[0].strip(),
                columns[1].strip(),
                columns[2].strip(),
                query,
                columns[4].strip(),
                columns[5].strip());
    }
}
