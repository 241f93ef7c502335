package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.cli.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The programs a user has in hand: psql, pgbench and the command-line client. */
final class Programs {
    /** What a program left behind. */
    record Result(int exitCode, String output, String error) {
        /** The output of a program that must have succeeded, without surrounding white space. */
        String text() {
            assertThat(exitCode).as(output + error).isZero();
            return output.strip();
        }
    }

    private Programs() {}

    /** Runs psql quietly, tuples only, stopping at the first error. */
    static Result psql(String connectionString, String sql) {
        return run(List.of("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", connectionString), sql);
    }

    static Result pgbench(String connectionString, String... arguments) {
        List<String> command = new ArrayList<>(List.of("pgbench"));
        command.addAll(List.of(arguments));
        command.add(connectionString);
        return run(command, "");
    }

    static Result run(List<String> command, String input) {
        try {
            Path errors = java.nio.file.Files.createTempFile("coppice-test", ".err");
            try {
                Process process = new ProcessBuilder(command)
                        .redirectError(errors.toFile())
                        .start();
                try (var stdin = process.getOutputStream()) {
                    stdin.write(input.getBytes(StandardCharsets.UTF_8));
                } catch (IOException e) {
                    // The program ended before it read everything: its exit code says why.
                    assertThat(e).hasMessageContaining("pipe");
                }
                String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                assertThat(process.waitFor(10, TimeUnit.MINUTES)).isTrue();
                return new Result(process.exitValue(), output, java.nio.file.Files.readString(errors));
            } finally {
                java.nio.file.Files.delete(errors);
            }
        } catch (IOException e) {
            throw new IllegalStateException("cannot run " + command.getFirst(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while running " + command.getFirst(), e);
        }
    }

    /** Whether a program of the system is there and ends with 0. */
    static boolean succeeds(String... command) {
        try {
            return new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** The command-line client, in this process. */
    static Result cli(Path dataDirectory, String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int exitCode = Main.run(
                new PrintWriter(out),
                new PrintWriter(err),
                Map.of("COPPICE_DATA_DIR", dataDirectory.toString(), "PATH", System.getenv("PATH")),
                arguments);
        return new Result(exitCode, out.toString(), err.toString());
    }
}
