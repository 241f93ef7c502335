package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The unmodified neonctl and API client from npm, as a user types them, against a server. */
final class Neonctl {
    private static final Path FIXTURE = Path.of("src/test/node/neonctl");

    private final String url;
    private final String key;

    Neonctl(ServerProcess server) throws IOException {
        JsonNode access =
                JsonMapper.shared().readTree(Files.readAllBytes(server.data().resolve("cli.json")));
        this.url = access.at("/apiUrl").asString();
        this.key = access.at("/apiKey").asString();
    }

    /** Installs the packages below the build directory, unless they are there; the test is skipped where npm cannot. */
    static void install() throws IOException {
        Files.createDirectories(packages());
        for (String name : List.of("package.json", "package-lock.json", "api-client.cjs")) {
            Files.copy(FIXTURE.resolve(name), packages().resolve(name), StandardCopyOption.REPLACE_EXISTING);
        }
        boolean installed = Files.exists(packages().resolve("node_modules/.package-lock.json"))
                || Programs.succeeds(
                        "npm", "ci", "--prefix", packages().toString(), "--no-audit", "--no-fund", "--ignore-scripts");
        assumeTrue(installed, "npm could not install neonctl, so it cannot be run");
    }

    private static Path packages() {
        return Path.of(System.getProperty("coppice.build.directory", "target"), "neonctl")
                .toAbsolutePath();
    }

    String key() {
        return key;
    }

    Programs.Result run(String... arguments) {
        return runIn(packages(), arguments);
    }

    /** As if typed in {@code directory}, whose {@code .neon} counts. */
    Programs.Result runIn(Path directory, String... arguments) {
        return run(directory, key, arguments);
    }

    Programs.Result withKey(String otherKey, String... arguments) {
        return run(packages(), otherKey, arguments);
    }

    /** The names below localhost, which plain glibc does not resolve, are all this machine. */
    private Programs.Result run(Path directory, String usedKey, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                "env",
                "-C",
                directory.toString(),
                "HOME=" + packages(),
                "CI=true",
                "NO_COLOR=1",
                "PGHOSTADDR=127.0.0.1",
                "node",
                packages().resolve("node_modules/neonctl/bin/cli.js").toString()));
        command.addAll(List.of(arguments));
        int end = command.indexOf("--");
        command.addAll(
                end < 0 ? command.size() : end,
                List.of(
                        "--api-host",
                        url,
                        "--api-key",
                        usedKey,
                        "--no-analytics",
                        "--config-dir",
                        packages().resolve("config").toString()));
        return Programs.run(command, "");
    }

    JsonNode json(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--output", "json"));
        return JsonMapper.shared().readTree(run(all.toArray(String[]::new)).text());
    }

    /** What a command says that is refused, which it must be. */
    String refused(String... arguments) {
        Programs.Result result = run(arguments);
        assertThat(result.exitCode()).as(result.output()).isEqualTo(1);
        return result.error() + result.output();
    }

    /** Runs the script of the API client. */
    Programs.Result apiClient() {
        return Programs.run(List.of("node", packages().resolve("api-client.cjs").toString(), url, key), "");
    }

    /** psql with a connection string as neonctl prints it. */
    static String sql(String uri, String statements) {
        return Programs.run(
                        List.of(
                                "env",
                                "PGHOSTADDR=127.0.0.1",
                                "psql",
                                "-X",
                                "-q",
                                "-A",
                                "-t",
                                "-v",
                                "ON_ERROR_STOP=1",
                                uri),
                        statements)
                .text();
    }
}
