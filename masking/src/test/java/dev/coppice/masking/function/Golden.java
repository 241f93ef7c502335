package dev.coppice.masking.function;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Results that must not change without a new code version. What is actual is written below the build directory, for review. */
public final class Golden {
    private Golden() {}

    public static void compare(String name, List<String> actual) throws IOException {
        Path build = Path.of(System.getProperty("coppice.build.directory", "target"));
        Files.createDirectories(build);
        Files.write(build.resolve(name + ".actual.txt"), actual);
        try (InputStream in = Golden.class.getResourceAsStream(name + ".txt")) {
            assertThat(in).as("the golden file of " + name).isNotNull();
            List<String> expected = new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
            assertThat(actual).isEqualTo(expected);
        }
    }
}
