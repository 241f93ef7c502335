package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Clients from npm, unmodified, against a whole server: each a script of {@code src/test/node} in a process of its own, whose
 * lines become tests. They are installed into the build directory; without npm, or without its registry, all is skipped.
 */
class NodeClientsIT {
    private static final Path FIXTURES = Path.of("src/test/node");
    private static final long LIMIT_SECONDS = 120;

    private static Path installed;
    private static ServerProcess server;
    private static String target;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        assumeTrue(Programs.succeeds("npm", "--version"), "npm is not installed");
        installed = install();
        server = ServerProcess.start("node");
        URI uri = URI.create(server.uri("main"));
        target =
                "{\"host\":\"localhost\",\"port\":%d,\"endpoint\":\"%s\",\"user\":\"%s\",\"password\":\"%s\",\"database\":\"coppice\"}"
                        .formatted(
                                uri.getPort(),
                                uri.getQuery().replaceAll(".*endpoint=(ep-[a-z0-9-]+).*", "$1"),
                                uri.getUserInfo().split(":", 2)[0],
                                uri.getUserInfo().split(":", 2)[1]);
        server.cli("computes", "suspend", "main").text();
    }

    @AfterAll
    static void stop() throws IOException {
        if (server != null) {
            server.close();
        }
    }

    /** @return the directory of the build in which the scripts and what they need lie */
    private static Path install() throws IOException, InterruptedException {
        Path directory = Path.of(System.getProperty("coppice.build.directory", "target"))
                .toAbsolutePath()
                .resolve("node-clients");
        Path lock = directory.resolve("package-lock.json");
        boolean done = Files.exists(directory.resolve("complete"))
                && Files.mismatch(lock, FIXTURES.resolve("package-lock.json")) < 0;
        try (Stream<Path> files = Files.walk(FIXTURES)) {
            for (Path file : files.toList()) {
                Path copy = directory.resolve(FIXTURES.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(copy);
                } else {
                    Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
        if (!done) {
            Files.deleteIfExists(directory.resolve("complete"));
            List<String> printed = run(
                    directory,
                    "npm",
                    "ci",
                    "--ignore-scripts",
                    "--omit-lockfile-registry-resolved",
                    "--no-audit",
                    "--no-fund");
            assumeTrue(
                    Files.exists(directory.resolve("node_modules/pg/package.json")),
                    "npm cannot install the clients: " + String.join("\n", printed));
            Files.createFile(directory.resolve("complete"));
        }
        return directory;
    }

    private static List<String> run(Path directory, String... command) throws IOException, InterruptedException {
        Path output = Files.createTempFile(directory, "output", ".txt");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        if (target != null) {
            builder.environment().put("COPPICE_TARGET", target);
            builder.environment()
                    .put(
                            "NODE_EXTRA_CA_CERTS",
                            server.data().resolve("tls/server.crt").toString());
        }
        Process process = builder.start();
        try {
            if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
            return new ArrayList<>(Files.readAllLines(output, StandardCharsets.UTF_8));
        } finally {
            process.destroyForcibly();
            Files.delete(output);
        }
    }

    /** @param least how many checks the script has: one that ends early must not look well */
    private static Stream<DynamicTest> client(String script, int least) throws IOException, InterruptedException {
        List<String> lines = run(installed, "node", "--no-deprecation", script);
        List<DynamicTest> tests = new ArrayList<>();
        for (String line : lines) {
            if (line.startsWith("ok - ")) {
                tests.add(dynamicTest(line.substring("ok - ".length()), () -> {}));
            } else if (line.startsWith("not ok - ")) {
                String[] parts = line.substring("not ok - ".length()).split(" # ", 2);
                tests.add(dynamicTest(parts[0], () -> assertThat(parts[1]).isEmpty()));
            }
        }
        tests.add(dynamicTest(
                script + " ran to its end",
                () -> assertThat(lines).hasSizeGreaterThanOrEqualTo(least).allMatch(line -> line.contains("ok - "))));
        return tests.stream();
    }

    @TestFactory
    Stream<DynamicTest> node_postgres() throws IOException, InterruptedException {
        return client("pg.mjs", 31);
    }

    @TestFactory
    Stream<DynamicTest> postgres_by_porsager() throws IOException, InterruptedException {
        return client("postgres.mjs", 24);
    }

    @TestFactory
    Stream<DynamicTest> neon_serverless() throws IOException, InterruptedException {
        return client("serverless.mjs", 32);
    }

    @TestFactory
    Stream<DynamicTest> drizzle() throws IOException, InterruptedException {
        return client("drizzle.mjs", 3);
    }
}
