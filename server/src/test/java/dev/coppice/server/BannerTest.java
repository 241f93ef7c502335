package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class BannerTest {
    private static final String URI = "postgresql://coppice_owner:pw@127.0.0.1:5433/coppice?options=endpoint%3Dep-a";

    @Test
    void says_how_to_connect_and_how_to_branch() {
        assertThat(banner(Path.of("/var/lib/coppice"), "napi_key").text(true)).isEqualTo("""

                        Coppice is ready after 1.2 s.

                          main      %1$s
                          API       http://127.0.0.1:5480/api/v2
                          API key   napi_key
                          console   http://127.0.0.1:5480/console/
                          data      /var/lib/coppice

                        Connect        psql "%1$s"
                        Make a branch  ./coppice branches create --name dev-alice
                        In a browser   ./coppice console
                        Stop           Ctrl-C

                        """.formatted(URI));
    }

    @Test
    void client_commands_are_told_about_another_data_directory() {
        assertThat(banner(Path.of("/srv/c"), "k").text(true))
                .contains("COPPICE_DATA_DIR=/srv/c ./coppice branches create");
        assertThat(banner(Path.of("/srv/it's mine"), "k").text(true))
                .contains("COPPICE_DATA_DIR='/srv/it'\\''s mine' ./coppice branches create");
    }

    @Test
    void a_log_gets_no_secret_but_how_to_find_them() {
        assertThat(banner(Path.of("/var/lib/coppice"), "napi_key").text(false))
                .doesNotContain("napi_key", ":pw@")
                .contains(
                        "main      ./coppice connection-string",
                        "API key   in /var/lib/coppice/cli.json",
                        "Connect        ./coppice psql",
                        "Stop           ./coppice stop");
    }

    private static Banner banner(Path data, String key) {
        return new Banner(
                URI, "http://127.0.0.1:5480/api/v2", key, data, Path.of("/var/lib/coppice"), Duration.ofMillis(1_234));
    }
}
