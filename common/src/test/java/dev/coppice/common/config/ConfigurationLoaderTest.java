package dev.coppice.common.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.config.CoppiceConfiguration.LogLevel;
import dev.coppice.common.config.CoppiceConfiguration.TlsMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

class ConfigurationLoaderTest {
    private static final Path SHIPPED = Path.of("..", "config", "coppice.yaml");
    private static final Map<String, String> NO_ENVIRONMENT = Map.of("HOME", "/home/alice");

    private Path directory;

    @BeforeEach
    void makeDirectory() throws IOException {
        Path build = Path.of(System.getProperty("coppice.build.directory", "target"));
        directory = Files.createTempDirectory(build, "configuration");
    }

    @Test
    void the_shipped_file_names_every_key_with_its_default() throws IOException {
        YAMLMapper yaml = new YAMLMapper();
        JsonNode shipped = yaml.readTree(Files.readString(SHIPPED));
        JsonNode defaults = ConfigurationLoader.defaultsTree();
        assertThat(flatten(shipped)).containsExactlyElementsOf(flatten(defaults));
    }

    @Test
    void every_key_of_the_shipped_file_follows_a_comment() throws IOException {
        List<String> lines = Files.readAllLines(SHIPPED);
        List<String> bare = new ArrayList<>();
        for (int i = 1; i < lines.size(); i++) {
            boolean section = lines.get(i).matches("\\s*(tls|logging):");
            if (lines.get(i).matches("\\s*[a-z_]+:.*")
                    && !lines.get(i - 1).strip().startsWith("#")
                    && !section) {
                bare.add(lines.get(i));
            }
        }
        assertThat(bare).isEmpty();
    }

    @Test
    void the_shipped_file_and_no_file_mean_the_same() {
        assertThat(ConfigurationLoader.load(Optional.of(SHIPPED), NO_ENVIRONMENT))
                .isEqualTo(ConfigurationLoader.load(NO_ENVIRONMENT));
    }

    @Test
    void values_of_the_file_win_over_defaults_and_the_rest_stays() throws IOException {
        CoppiceConfiguration c = load("""
                data_directory: data
                proxy:
                  listen: "[::1]:6000"
                  tls:
                    mode: off
                compute:
                  suspend_timeout_seconds: -1
                  size_compute_units: 0.25
                  postgres_settings:
                    work_mem: 16MB
                    max_connections: 20
                api:
                """);
        assertThat(c.dataDirectory()).contains(directory.resolve("data"));
        assertThat(c.proxy().listen()).isEqualTo(new ListenAddress("::1", 6000));
        assertThat(c.proxy().maxConnections()).isEqualTo(10_000);
        assertThat(c.proxy().tls().mode()).isEqualTo(TlsMode.OFF);
        assertThat(c.compute().suspendTimeoutSeconds()).isEqualTo(-1);
        assertThat(c.compute().sizeComputeUnits()).isEqualTo(0.25);
        assertThat(c.compute().postgresSettings())
                .containsExactlyInAnyOrderEntriesOf(Map.of("work_mem", "16MB", "max_connections", "20"));
        assertThat(c.api()).isEqualTo(CoppiceConfiguration.DEFAULTS.api());
    }

    @Test
    void the_environment_wins_over_the_file() throws IOException {
        Path file =
                Files.writeString(directory.resolve("c.yaml"), "data_directory: /a\nproxy:\n  listen: 127.0.0.1:1\n");
        CoppiceConfiguration c = ConfigurationLoader.load(Map.of(
                "COPPICE_CONFIG",
                file.toString(),
                "COPPICE_DATA_DIR",
                "/b",
                "COPPICE_PROXY_LISTEN",
                "0.0.0.0:2",
                "COPPICE_LOG_LEVEL",
                "debug"));
        assertThat(c.dataDirectory()).contains(Path.of("/b"));
        assertThat(c.proxy().listen()).hasToString("0.0.0.0:2");
        assertThat(c.proxy().publicAddress(c.proxy().listen())).hasToString("127.0.0.1:2");
        assertThat(c.logging().level()).isEqualTo(LogLevel.DEBUG);
        assertThat(c.api().url()).isEqualTo("http://127.0.0.1:5480/api/v2");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "proxy:\\n  max_conections: 5 | line 2: proxy.max_conections is not a known key (known here: advertised_address,",
                "prxy: 1 | line 1: prxy is not a known key",
                "compute:\\n  # why\\n  suspend_timeout_seconds: 0 | line 3: compute.suspend_timeout_seconds must be -1 (never) or from 1 to 604800 seconds, not 0",
                "proxy:\\n  max_connections: many | line 2: proxy.max_connections must be a whole number, not \"many\"",
                "proxy:\\n  max_connections: 1.5 | line 2: proxy.max_connections must be",
                "compute:\\n  size_compute_units: 0.1 | line 2: compute.size_compute_units must be from 0.25 to 1024 compute units, not 0.1",
                "proxy:\\n  listen: 5433 | line 2: proxy.listen must be host:port",
                "proxy:\\n  listen: localhost | line 2: proxy.listen must be host:port",
                "proxy:\\n  tls:\\n    mode: on | line 3: proxy.tls.mode must be one of auto, off, files, not \"on\"",
                "proxy:\\n  tls:\\n    mode: files | line 3: proxy.tls.mode is files, so proxy.tls.certificate",
                "proxy: 7 | line 1: proxy must be a section",
                "a: [ | is not valid YAML",
                "api:\\n  listen: 127.0.0.1:1\\napi:\\n  listen: 127.0.0.1:2 | line 3",
                "compute:\\n  postgres_settings: [a] | line 2: compute.postgres_settings must be a section",
                "compute:\\n  user: [a] | line 2: compute.user must be a single value",
                "just text | must hold keys and values",
            })
    void a_mistake_is_named_with_key_file_and_line(String text, String expected) {
        assertThatThrownBy(() -> load(text.replace("\\n", "\n")))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining(directory.resolve("coppice.yaml").toString())
                .hasMessageContaining(expected)
                .message()
                .doesNotContain("dev.coppice", "tools.jackson");
    }

    @Test
    void a_mistake_in_the_environment_names_the_variable() {
        assertThatThrownBy(() -> ConfigurationLoader.load(Map.of("HOME", "/h", "COPPICE_API_LISTEN", "here")))
                .hasMessageStartingWith("environment variable COPPICE_API_LISTEN: api.listen must be host:port");
    }

    @Test
    void a_missing_file_is_named() {
        assertThatThrownBy(() -> ConfigurationLoader.load(Optional.of(directory.resolve("no.yaml")), NO_ENVIRONMENT))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("no.yaml: there is no such file");
    }

    @Test
    void the_data_directory_of_a_user_follows_xdg() {
        assertThat(DataDirectory.ofUser(Map.of("HOME", "/home/alice")))
                .isEqualTo(Path.of("/home/alice/.local/share/coppice"));
        assertThat(DataDirectory.ofUser(Map.of("HOME", "/home/alice", "XDG_DATA_HOME", "/data")))
                .isEqualTo(Path.of("/data/coppice"));
        assertThatThrownBy(() -> DataDirectory.ofUser(Map.of())).hasMessageContaining("COPPICE_DATA_DIR");
    }

    private CoppiceConfiguration load(String text) throws IOException {
        Path file = Files.writeString(directory.resolve("coppice.yaml"), text);
        return ConfigurationLoader.load(Optional.of(file), NO_ENVIRONMENT);
    }

    /** Each leaf as {@code key = value}, in order of appearance. */
    private static List<String> flatten(JsonNode tree) {
        List<String> leaves = new ArrayList<>();
        flatten("", tree, leaves);
        return leaves;
    }

    private static void flatten(String prefix, JsonNode node, List<String> leaves) {
        if (node instanceof ObjectNode object && !object.isEmpty()) {
            object.properties().forEach(p -> flatten(prefix + "." + p.getKey(), p.getValue(), leaves));
        } else {
            leaves.add(prefix + " = " + node);
        }
    }
}
