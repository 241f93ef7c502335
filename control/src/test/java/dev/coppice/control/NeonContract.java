package dev.coppice.control;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.dialect.Dialects;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What Neon's OpenAPI document says of answers. The document comes out of the npm package of Neon's API client (MIT), which is
 * installed into the build directory; without npm the tests that ask are skipped.
 */
final class NeonContract {
    private static final Path FIXTURE = Path.of("src/test/node/neon-api");
    private static final Path DOCUMENT = Path.of("node_modules/@neondatabase/api-client/public-v2-for-users.gen.yaml");
    private static final String LOCATION = "https://neon.invalid/openapi.json";

    private final JsonNode document;
    private final SchemaRegistry registry;
    private final Map<String, Schema> schemas = new ConcurrentHashMap<>();

    private NeonContract(JsonNode document) {
        this.document = document;
        String text = JsonMapper.shared().writeValueAsString(document);
        this.registry = SchemaRegistry.withDialect(
                Dialects.getOpenApi30(),
                builder -> builder.schemas(Map.of(LOCATION, text))
                        .schemaRegistryConfig(SchemaRegistryConfig.builder()
                                .formatAssertionsEnabled(true)
                                .build()));
    }

    static NeonContract load() throws IOException {
        Path directory = Path.of(System.getProperty("coppice.build.directory", "target"), "neon-api");
        Path file = directory.resolve(DOCUMENT);
        if (!Files.exists(file)) {
            install(directory);
        }
        // Jackson's own reader leaves aliases (*name) as text.
        Object loaded = new Load(LoadSettings.builder().build()).loadFromString(Files.readString(file));
        return new NeonContract(JsonMapper.shared().valueToTree(loaded));
    }

    private static void install(Path directory) throws IOException {
        Files.createDirectories(directory);
        for (String name : List.of("package.json", "package-lock.json")) {
            Files.copy(FIXTURE.resolve(name), directory.resolve(name), StandardCopyOption.REPLACE_EXISTING);
        }
        boolean installed;
        try {
            Process npm = new ProcessBuilder("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
                    .directory(directory.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(directory.resolve("npm.log").toFile())
                    .start();
            installed = npm.waitFor(3, TimeUnit.MINUTES) && npm.exitValue() == 0;
            npm.destroyForcibly();
        } catch (IOException e) {
            installed = false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            installed = false;
        }
        assumeTrue(installed, "npm could not install Neon's API client, so its contract cannot be checked");
    }

    /**
     * Where an answer is not as the document says.
     *
     * @param path of the request below {@code /api/v2}, with its query
     */
    List<String> violations(String method, String path, int status, JsonNode body) {
        String pointer = operation(method, path)
                .orElseThrow(() -> new IllegalArgumentException(method + " " + path + " is not in Neon's document"));
        String responses = pointer + "/responses";
        JsonNode declared = document.at(responses);
        String response = responses + "/" + (declared.has(String.valueOf(status)) ? status : "default");
        if (status < 400 && response.endsWith("/default")) {
            return List.of(method + " " + path + ": status " + status + " is not declared");
        }
        String reference = document.at(response + "/$ref").asString("");
        if (!reference.isEmpty()) {
            response = reference.substring(1);
        }
        String schemaPointer = response + "/content/application~1json/schema";
        if (document.at(schemaPointer).isMissingNode()) {
            return List.of();
        }
        Schema schema = schemas.computeIfAbsent(schemaPointer, this::schema);
        return schema.validate(body).stream().map(Error::toString).toList();
    }

    /** The schema at this place, with its references pointing into the document. */
    private Schema schema(String pointer) {
        String text = document.at(pointer).toString().replace("\"#/components/", "\"" + LOCATION + "#/components/");
        return registry.getSchema(JsonMapper.shared().readTree(text));
    }

    private Optional<String> operation(String method, String path) {
        String plain = path.replaceFirst("\\?.*", "");
        String verb = method.toLowerCase(java.util.Locale.ROOT);
        return document.at("/paths")
                .propertyStream()
                .filter(entry -> entry.getValue().has(verb) && matches(entry.getKey(), plain))
                // A literal segment wins over a parameter.
                .min(java.util.Comparator.comparingLong(
                        entry -> entry.getKey().chars().filter(c -> c == '{').count()))
                .map(entry -> "/paths/" + entry.getKey().replace("~", "~0").replace("/", "~1") + "/" + verb);
    }

    private static boolean matches(String template, String path) {
        StringBuilder pattern = new StringBuilder();
        for (String part : template.split("/", -1)) {
            pattern.append(pattern.isEmpty() && part.isEmpty() ? "" : "/")
                    .append(part.startsWith("{") ? "[^/]+" : Pattern.quote(part));
        }
        return path.matches(pattern.toString());
    }
}
