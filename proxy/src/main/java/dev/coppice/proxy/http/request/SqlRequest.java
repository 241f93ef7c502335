package dev.coppice.proxy.http.request;

import java.io.InputStream;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * The body of a request: {@code {"query": "select $1", "params": ["1"]}}, or {@code {"queries": [...]}} for several in
 * one transaction. Parameters are text; numbers, booleans, objects and arrays become the text that Postgres reads.
 *
 * @param batch whether it was {@code queries}, and the response shall be {@code results}
 */
public record SqlRequest(List<Statement> statements, boolean batch) {
    /** What the wire protocol has room for. */
    private static final int MAX_PARAMETERS = 65_535;

    private static final JsonFactory JSON = new JsonFactory();

    /**
     * @param parameters in text format; null is NULL
     * @param arrayMode whether rows shall be arrays, where the statement says so itself
     */
    public record Statement(String query, List<@Nullable String> parameters, Optional<Boolean> arrayMode) {}

    /** @throws BadRequestException when it is something else */
    public static SqlRequest parse(InputStream body) {
        try (JsonParser in = JSON.createParser(ObjectReadContext.empty(), body)) {
            if (in.nextToken() != JsonToken.START_OBJECT) {
                throw new BadRequestException("the request is not a JSON object");
            }
            SqlRequest request = request(in);
            if (in.nextToken() != null) {
                throw new BadRequestException("there is something behind the request's JSON object");
            }
            return request;
        } catch (JacksonException e) {
            throw new BadRequestException("the request is not JSON: " + e.getOriginalMessage());
        }
    }

    private static SqlRequest request(JsonParser in) {
        Fields fields = new Fields();
        List<Statement> queries = null;
        Set<String> names = new HashSet<>();
        while (in.nextToken() != JsonToken.END_OBJECT) {
            String name = once(names, in.currentName());
            JsonToken value = in.nextToken();
            if (name.equals("queries") && value == JsonToken.START_ARRAY) {
                queries = new ArrayList<>();
                while (in.nextToken() != JsonToken.END_ARRAY) {
                    queries.add(statement(in));
                }
            } else {
                fields.read(in, name);
            }
        }
        if (queries != null && fields.query != null) {
            throw new BadRequestException("the request has both \"query\" and \"queries\"");
        }
        return queries == null
                ? new SqlRequest(List.of(fields.statement()), false)
                : new SqlRequest(List.copyOf(queries), true);
    }

    private static Statement statement(JsonParser in) {
        if (in.currentToken() != JsonToken.START_OBJECT) {
            throw new BadRequestException("each of \"queries\" must be an object");
        }
        Fields fields = new Fields();
        Set<String> names = new HashSet<>();
        while (in.nextToken() != JsonToken.END_OBJECT) {
            String name = once(names, in.currentName());
            in.nextToken();
            fields.read(in, name);
        }
        return fields.statement();
    }

    /** JSON leaves open which of two counts. Inside of parameters that is Postgres's to say. */
    private static String once(Set<String> names, String name) {
        if (!names.add(name)) {
            throw new BadRequestException("\"" + name + "\" is there twice");
        }
        return name;
    }

    /** What was found of one statement so far. */
    private static final class Fields {
        private @Nullable String query;
        private final List<@Nullable String> parameters = new ArrayList<>();
        private Optional<Boolean> arrayMode = Optional.empty();

        void read(JsonParser in, String name) {
            JsonToken value = in.currentToken();
            switch (name) {
                case "query" -> {
                    if (value != JsonToken.VALUE_STRING) {
                        throw new BadRequestException("\"query\" must be a string");
                    }
                    query = text(in.getString());
                }
                case "params" -> parameters(in, value);
                case "arrayMode" -> arrayMode = flag(name, value);
                default -> in.skipChildren();
            }
        }

        private static Optional<Boolean> flag(String name, JsonToken value) {
            return switch (value) {
                case VALUE_TRUE -> Optional.of(true);
                case VALUE_FALSE -> Optional.of(false);
                case VALUE_NULL -> Optional.empty();
                default -> throw new BadRequestException("\"" + name + "\" must be true or false");
            };
        }

        private void parameters(JsonParser in, JsonToken value) {
            if (value == JsonToken.VALUE_NULL) {
                return;
            }
            if (value != JsonToken.START_ARRAY) {
                throw new BadRequestException("\"params\" must be an array");
            }
            while (in.nextToken() != JsonToken.END_ARRAY) {
                if (parameters.size() == MAX_PARAMETERS) {
                    throw new BadRequestException("a statement has at most " + MAX_PARAMETERS + " parameters");
                }
                parameters.add(parameter(in));
            }
        }

        Statement statement() {
            if (query == null) {
                throw new BadRequestException("the request has no \"query\"");
            }
            return new Statement(query, Collections.unmodifiableList(parameters), arrayMode);
        }
    }

    private static @Nullable String parameter(JsonParser in) {
        return switch (in.currentToken()) {
            case VALUE_NULL -> null;
            case START_ARRAY -> {
                StringBuilder out = new StringBuilder();
                array(in, out);
                yield text(out.toString());
            }
            case START_OBJECT -> text(json(in));
            default -> text(in.getString());
        };
    }

    /** As array_in reads it: {@code {1,"two",NULL,{3}}}. The parser bounds the depth. */
    private static void array(JsonParser in, StringBuilder out) {
        out.append('{');
        boolean first = true;
        while (in.nextToken() != JsonToken.END_ARRAY) {
            if (!first) {
                out.append(',');
            }
            first = false;
            switch (in.currentToken()) {
                case VALUE_NULL -> out.append("NULL");
                case START_ARRAY -> array(in, out);
                case START_OBJECT -> quoted(json(in), out);
                case VALUE_STRING -> quoted(in.getString(), out);
                default -> out.append(in.getString());
            }
        }
        out.append('}');
    }

    private static void quoted(String element, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < element.length(); i++) {
            char c = element.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\');
            }
            out.append(c);
        }
        out.append('"');
    }

    private static String json(JsonParser in) {
        StringWriter out = new StringWriter();
        try (JsonGenerator generator = JSON.createGenerator(ObjectWriteContext.empty(), out)) {
            generator.copyCurrentStructure(in);
        }
        return out.toString();
    }

    private static String text(String value) {
        if (value.indexOf('\0') >= 0) {
            throw new BadRequestException("text in Postgres cannot have the character U+0000");
        }
        return value;
    }
}
