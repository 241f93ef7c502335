package dev.coppice.common.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DataDirectoryTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "# data_directory: /commented\nlogging:\n  level: info\n",
                "data_directory: /from/the/file\n",
                "  data_directory: beside\n",
                "{data_directory: /in/braces}",
                "\"data_directory\": /quoted\n",
                "data_directory:\n",
                "logging:\n  level: info # not data_directory\n"
            })
    void it_is_what_the_whole_configuration_says(String text) throws IOException {
        Map<String, String> environment = new HashMap<>(Map.of("HOME", "/home/somebody"));
        environment.put(
                ConfigurationLoader.FILE_VARIABLE,
                Files.writeString(directory.resolve("coppice.yaml"), text).toString());
        assertSame(environment);
        environment.put(DataDirectory.VARIABLE, "some/../where");
        assertSame(environment);
    }

    @Test
    void without_a_file_it_is_the_standard_one_and_a_file_that_is_not_there_is_an_error() {
        assertSame(Map.of("HOME", "/home/somebody"));
        Path absent = directory.resolve("absent.yaml");
        assertThatThrownBy(() -> DataDirectory.find(Map.of(ConfigurationLoader.FILE_VARIABLE, absent.toString())))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining(absent + ": there is no such file");
    }

    private static void assertSame(Map<String, String> environment) {
        assertThat(DataDirectory.find(environment))
                .isEqualTo(ConfigurationLoader.load(environment).dataDirectory().orElseThrow());
    }
}
