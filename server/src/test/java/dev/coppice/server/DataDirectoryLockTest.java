package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DataDirectoryLockTest {
    @ParameterizedTest
    @ValueSource(strings = {"target/a data directory", "target/a:b", "target/a\tb"})
    void a_path_from_which_postgres_gets_no_library_is_refused_before_anything_is_made(String path) {
        Path data = Path.of(path).toAbsolutePath();
        assertThatThrownBy(() -> DataDirectoryLock.take(data))
                .isInstanceOf(ServerStartException.class)
                .hasMessageContaining("--data");
        assertThat(data).doesNotExist();
    }
}
