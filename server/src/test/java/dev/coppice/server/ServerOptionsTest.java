package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ServerOptionsTest {
    private static final Map<String, String> ENVIRONMENT =
            Map.of("HOME", "/h", "COPPICE_DATA_DIR", "/from/environment");

    @Test
    void options_win_over_the_environment() throws IOException {
        Path build = Path.of(System.getProperty("coppice.build.directory", "target"));
        Path file = Files.writeString(
                Files.createTempFile(build, "coppice", ".yaml"),
                "data_directory: /from/file\nproxy:\n  max_connections: 7\n");
        assertThat(ServerOptions.read(List.of(), ENVIRONMENT).dataDirectory()).contains(Path.of("/from/environment"));
        var configuration = ServerOptions.read(List.of("--data", "/from/option", "--config=" + file), ENVIRONMENT);
        assertThat(configuration.dataDirectory()).contains(Path.of("/from/option"));
        assertThat(configuration.proxy().maxConnections()).isEqualTo(7);
    }

    @Test
    void mistakes_are_named() {
        assertThatThrownBy(() -> ServerOptions.read(List.of("--dta", "x"), ENVIRONMENT))
                .hasMessageContaining("--dta");
        assertThatThrownBy(() -> ServerOptions.read(List.of("--data"), ENVIRONMENT))
                .hasMessage("--data needs a value");
        assertThatThrownBy(() -> ServerOptions.read(List.of("--config", "/no/such.yaml"), ENVIRONMENT))
                .hasMessageContaining("/no/such.yaml: there is no such file");
    }
}
