package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ServerLogTest {
    private Path directory;
    private ServerLog log;

    @BeforeEach
    void create() throws IOException {
        directory = TestDirectories.create();
        log = new ServerLog(directory.resolve("postgres.log"));
    }

    @AfterEach
    void delete() throws IOException {
        DurableFiles.deleteRecursively(directory);
    }

    @Test
    void the_tail_is_of_this_start_only() throws IOException {
        Files.writeString(log.file(), "old\n");
        long start = log.size();
        Files.writeString(log.file(), "one\ntwo\nthree\n", StandardOpenOption.APPEND);

        assertThat(log.tail(start, 2)).isEqualTo("two\nthree");
        assertThat(log.tail(start, 9)).isEqualTo("one\ntwo\nthree");
    }

    @Test
    void a_long_log_is_cut_under_its_writer_which_goes_on_at_the_beginning() throws IOException {
        try (OutputStream writer =
                Files.newOutputStream(log.file(), StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            writer.write(new byte[(int) ServerLog.SIZE_MAX + 1]);
            log.limit();
            assertThat(log.size()).isZero();
            writer.write("after\n".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
        assertThat(log.file()).hasContent("after");
        assertThat(directory.resolve("postgres.log.1")).hasSize(ServerLog.SIZE_MAX + 1);
    }

    @Test
    void a_log_that_is_not_there_is_empty() throws IOException {
        log.limit();

        assertThat(log.size()).isZero();
    }
}
