package dev.coppice.control.api.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

class AuditLogTest {
    private static final int FILE_MAX_BYTES = 2_000;

    @TempDir
    private Path directory;

    private static AuditLog.Entry entry(int number) {
        return new AuditLog.Entry(
                Instant.EPOCH,
                "request-" + number,
                1,
                "key",
                "127.0.0.1",
                "POST",
                "/projects",
                "/api/v2/projects",
                201,
                null,
                5);
    }

    private void note(int from, int to) {
        try (AuditLog log = AuditLog.open(directory.resolve("audit.log"), FILE_MAX_BYTES)) {
            IntStream.range(from, to).forEach(number -> log.note(entry(number)));
        }
    }

    /** The numbers of the requests in all files, oldest first. */
    private List<Integer> numbers() throws IOException {
        List<Integer> numbers = new ArrayList<>();
        for (int i = AuditLog.FILES - 1; i >= 0; i--) {
            Path file = directory.resolve(i == 0 ? "audit.log" : "audit.log." + i);
            if (Files.exists(file)) {
                for (String line : Files.readAllLines(file)) {
                    String id =
                            JsonMapper.shared().readTree(line).at("/request_id").asString();
                    numbers.add(Integer.valueOf(id.substring("request-".length())));
                }
            }
        }
        return numbers;
    }

    @Test
    void a_full_file_is_put_aside_and_no_line_is_lost_or_out_of_order() throws IOException {
        note(0, 30);
        note(30, 60);
        assertThat(numbers()).isEqualTo(IntStream.range(0, 60).boxed().toList());
        assertThat(directory.resolve("audit.log.1")).exists();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                        .as(file.toString())
                        .isEqualTo("rw-------");
                assertThat(Files.size(file)).as(file.toString()).isLessThan(2 * FILE_MAX_BYTES);
            }
        }
    }

    @Test
    void the_oldest_file_goes_so_that_the_log_does_not_fill_the_disk() throws IOException {
        note(0, 500);
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).hasSize(AuditLog.FILES);
        }
        List<Integer> numbers = numbers();
        assertThat(numbers.getFirst()).isPositive();
        assertThat(numbers)
                .isEqualTo(IntStream.range(numbers.getFirst(), 500).boxed().toList());
    }
}
