package dev.coppice.common.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.exc.InvalidFormatException;
import tools.jackson.databind.exc.MismatchedInputException;
import tools.jackson.databind.exc.UnrecognizedPropertyException;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * Reads the configuration: the defaults, overlaid by the file, overlaid by the environment. The three are merged as
 * trees and bound to the records at the end, so a default is written once. Lines come from a pass of their own over the
 * file's tokens, because a merged tree has none.
 */
public final class ConfigurationLoader {
    /** Names the file when the command line does not. */
    public static final String FILE_VARIABLE = "COPPICE_CONFIG";

    /** Environment variables that override keys: what a container wants to set without a file. */
    private static final Map<String, String> OVERRIDES = Map.of(
            DataDirectory.VARIABLE,
            "data_directory",
            "COPPICE_PROXY_LISTEN",
            "proxy.listen",
            "COPPICE_PROXY_ADVERTISED_ADDRESS",
            "proxy.advertised_address",
            "COPPICE_API_LISTEN",
            "api.listen",
            "COPPICE_API_OPERATIONS_LISTEN",
            "api.operations_listen",
            "COPPICE_API_ALLOW_PLAIN_HTTP",
            "api.allow_plain_http",
            "COPPICE_POSTGRES_BIN",
            "postgres.bin",
            "COPPICE_COMPUTE_ISOLATION",
            "compute.isolation",
            "COPPICE_LOG_LEVEL",
            "logging.level");

    private static final YAMLMapper YAML = YAMLMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .build();

    private final Map<String, String> environment;
    private final Map<String, Integer> lines = new HashMap<>();
    private final Map<String, String> variables = new HashMap<>();
    private @Nullable Path file;

    private ConfigurationLoader(Map<String, String> environment) {
        this.environment = environment;
    }

    /** As {@link #load(Optional, Map)} with the file that {@value #FILE_VARIABLE} names, if any. */
    public static CoppiceConfiguration load(Map<String, String> environment) {
        return load(Optional.empty(), environment);
    }

    /**
     * The configuration in force. Relative paths in the file are relative to the file's directory, those in the
     * environment to the working directory; paths in the result are absolute and the data directory is always present.
     *
     * @param file what the command line named; empty = {@value #FILE_VARIABLE}; neither = defaults
     * @throws ConfigurationException naming key, file and line
     */
    public static CoppiceConfiguration load(Optional<Path> file, Map<String, String> environment) {
        return new ConfigurationLoader(environment)
                .read(file.or(() -> Optional.ofNullable(environment.get(FILE_VARIABLE))
                        .filter(name -> !name.isBlank())
                        .map(Path::of)));
    }

    /** The defaults as the YAML tree that the file is laid over: each key that exists, with its default. */
    static ObjectNode defaultsTree() {
        return YAML.valueToTree(CoppiceConfiguration.DEFAULTS);
    }

    private CoppiceConfiguration read(Optional<Path> named) {
        ObjectNode tree = defaultsTree();
        if (named.isPresent()) {
            file = named.get().toAbsolutePath().normalize();
            overlay(tree, readFile(file));
        }
        OVERRIDES.forEach((variable, key) -> {
            String value = environment.getOrDefault(variable, "");
            if (!value.isBlank()) {
                set(
                        tree,
                        key,
                        key.equals("data_directory")
                                ? Path.of(value).toAbsolutePath().toString()
                                : value);
                variables.put(key, variable);
            }
        });
        try {
            return resolvePaths(YAML.treeToValue(tree, CoppiceConfiguration.class));
        } catch (DatabindException e) {
            throw explain(e);
        }
    }

    private ObjectNode readFile(Path path) {
        String text;
        try {
            text = Files.readString(path);
        } catch (IOException e) {
            throw new ConfigurationException("cannot read the configuration file " + path + ": " + reason(e), e);
        }
        try {
            findLines(text);
            JsonNode tree = YAML.readTree(text);
            if (tree.isMissingNode() || tree.isNull()) {
                return YAML.createObjectNode();
            }
            if (tree instanceof ObjectNode object) {
                return object;
            }
            throw new ConfigurationException(path + ": must hold keys and values, like \"proxy:\", not one value");
        } catch (JacksonException e) {
            String at =
                    e.getLocation() == null ? "" : " line " + e.getLocation().getLineNr();
            throw new ConfigurationException(path + at + ": is not valid YAML: " + e.getOriginalMessage(), e);
        }
    }

    private static String reason(IOException e) {
        return switch (e) {
            case java.nio.file.NoSuchFileException _ -> "there is no such file";
            case java.nio.file.AccessDeniedException _ -> "permission denied";
            default -> String.valueOf(e.getMessage());
        };
    }

    /** Notes the line of every key; a key written twice is an error, the second would silently win. */
    private void findLines(String text) {
        Deque<String> path = new ArrayDeque<>();
        try (JsonParser parser = YAML.createParser(text)) {
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                switch (token) {
                    case START_OBJECT, START_ARRAY -> path.addLast("");
                    case END_OBJECT, END_ARRAY -> path.removeLast();
                    case PROPERTY_NAME -> {
                        path.removeLast();
                        path.addLast(String.valueOf(parser.currentName()));
                        String key = String.join(".", path);
                        int line = parser.currentTokenLocation().getLineNr();
                        Integer first = lines.putIfAbsent(key, line);
                        if (first != null) {
                            throw new ConfigurationException(
                                    file + " line " + line + ": " + key + " is already set on line " + first);
                        }
                    }
                    default -> {}
                }
            }
        }
    }

    /** Lays {@code changes} over {@code base}; an empty section or value in the file keeps the default. */
    private static void overlay(ObjectNode base, ObjectNode changes) {
        for (Map.Entry<String, JsonNode> change : changes.properties()) {
            JsonNode old = base.get(change.getKey());
            if (old instanceof ObjectNode oldSection && change.getValue() instanceof ObjectNode section) {
                overlay(oldSection, section);
            } else if (old == null || !change.getValue().isNull()) {
                base.set(change.getKey(), change.getValue());
            }
        }
    }

    private static void set(ObjectNode tree, String key, String value) {
        ObjectNode section = tree;
        String name = key;
        for (int dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.')) {
            section = section.withObject("/" + name.substring(0, dot));
            name = name.substring(dot + 1);
        }
        section.put(name, value);
    }

    private CoppiceConfiguration resolvePaths(CoppiceConfiguration c) {
        CoppiceConfiguration.Proxy proxy = c.proxy();
        CoppiceConfiguration.Tls tls = proxy.tls();
        return new CoppiceConfiguration(
                Optional.of(c.dataDirectory().map(this::resolve).orElseGet(() -> DataDirectory.standard(environment))),
                new CoppiceConfiguration.Proxy(
                        proxy.listen(),
                        proxy.advertisedAddress(),
                        proxy.maxConnections(),
                        proxy.handshakeTimeoutSeconds(),
                        proxy.drainTimeoutSeconds(),
                        proxy.ioThreads(),
                        proxy.allowedAddresses(),
                        proxy.proxyProtocol(),
                        new CoppiceConfiguration.Tls(
                                tls.mode(),
                                tls.required(),
                                tls.certificate().map(this::resolve),
                                tls.key().map(this::resolve),
                                tls.moreCertificates().stream()
                                        .map(each -> new CoppiceConfiguration.Certificate(
                                                resolve(each.certificate()), resolve(each.key())))
                                        .toList(),
                                tls.clientCa().map(this::resolve),
                                tls.clientCertificates()),
                        proxy.rateLimits(),
                        proxy.pool(),
                        proxy.http()),
                new CoppiceConfiguration.Api(
                        c.api().listen(),
                        c.api().operationsListen(),
                        new CoppiceConfiguration.ApiTls(
                                c.api().tls().certificate().map(this::resolve),
                                c.api().tls().key().map(this::resolve)),
                        c.api().allowPlainHttp(),
                        c.api().allowedHosts(),
                        c.api().rateLimits()),
                c.compute(),
                c.timeTravel(),
                c.recovery(),
                new CoppiceConfiguration.Postgres(c.postgres().bin().map(this::resolve)),
                c.catalog(),
                c.storage(),
                c.disk(),
                c.logging());
    }

    private Path resolve(Path path) {
        Path base = file == null ? Path.of("").toAbsolutePath() : file.resolveSibling("");
        return base.resolve(path).toAbsolutePath().normalize();
    }

    private ConfigurationException explain(DatabindException e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof InvalidSettingException invalid) {
                return at(invalid.key(), String.valueOf(invalid.getMessage()), e);
            }
        }
        String key = key(e);
        return switch (e) {
            case UnrecognizedPropertyException unknown -> at(key, "is not a known key" + known(unknown), e);
            case InvalidFormatException wrong -> at(key, expected(wrong.getTargetType(), wrong.getValue()), e);
            default -> at(key, problem(e), e);
        };
    }

    private static String problem(DatabindException e) {
        if (e.getCause() instanceof IllegalArgumentException cause && cause.getMessage() != null) {
            return cause.getMessage();
        }
        Class<?> type = e instanceof MismatchedInputException mismatch ? mismatch.getTargetType() : null;
        if (type == ListenAddress.class) {
            return "must be host:port, like 127.0.0.1:5433";
        }
        if (type != null && (type.isRecord() || Map.class.isAssignableFrom(type))) {
            return "must be a section with keys of its own, not a single value";
        }
        return "must be a single value of another kind";
    }

    private static String expected(@Nullable Class<?> type, @Nullable Object value) {
        String what = "another kind of value";
        if (type == int.class) {
            what = "a whole number";
        } else if (type == double.class) {
            what = "a number";
        } else if (type != null && type.isEnum()) {
            List<String> names = new ArrayList<>();
            for (Object constant : type.getEnumConstants()) {
                names.add(YAML.valueToTree(constant).asString());
            }
            what = "one of " + String.join(", ", names);
        }
        return "must be " + what + ", not \"" + value + "\"";
    }

    private static String known(UnrecognizedPropertyException unknown) {
        List<String> known = new ArrayList<>();
        if (unknown.getKnownPropertyIds() != null) {
            unknown.getKnownPropertyIds().forEach(id -> known.add(String.valueOf(id)));
        }
        known.sort(null);
        return known.isEmpty() ? "" : " (known here: " + String.join(", ", known) + ")";
    }

    private static String key(DatabindException e) {
        List<String> names = new ArrayList<>();
        for (JacksonException.Reference step : e.getPath()) {
            if (step.getPropertyName() != null) {
                names.add(step.getPropertyName());
            }
        }
        return String.join(".", names);
    }

    private ConfigurationException at(String key, String problem, Throwable cause) {
        String variable = variables.get(key);
        if (variable != null) {
            return new ConfigurationException("environment variable " + variable + ": " + key + " " + problem, cause);
        }
        Integer line = lines.get(key);
        String where = file == null ? "configuration" : file + (line == null ? "" : " line " + line);
        return new ConfigurationException(where + ": " + key + " " + problem, cause);
    }
}
