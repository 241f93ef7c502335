package dev.coppice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** Runs a copy of the real {@code ./coppice} with stand-ins for the JDK and Maven that say how they were called. */
class LauncherTest {
    private static final Path REAL = Path.of("..", "coppice");

    private record Result(int code, String out, String err) {}

    private final Map<String, String> environment = new HashMap<>();
    private Path home;
    private Path programs;

    @BeforeEach
    void installACopy() throws IOException {
        Path build = Path.of(System.getProperty("coppice.build.directory", "target"));
        home = Files.createTempDirectory(build, "launcher").toRealPath();
        Files.copy(REAL, home.resolve("coppice"));
        programs = Files.createDirectory(home.resolve("programs"));
        for (String tool : List.of(
                "id",
                "mktemp",
                "sleep",
                "stat",
                "chmod",
                "bash",
                "env",
                "sed",
                "head",
                "dirname",
                "readlink",
                "find",
                "mkdir",
                "rm",
                "mv",
                "tee",
                "awk",
                "tail",
                "grep",
                "cat")) {
            Files.createSymbolicLink(programs.resolve(tool), where(tool));
        }
        for (String module : List.of("cli", "server")) {
            Files.createDirectories(home.resolve(module + "/target/lib"));
            Files.createFile(home.resolve(module + "/target/lib/a.jar"));
        }
        environment.put("PATH", programs.toString());
        environment.put("HOME", home.toString());
        environment.put("JAVA_HOME", jdk("jdk-25", "25.0.1", true).toString());
    }

    @Test
    void help_needs_nothing_installed() throws IOException {
        environment.remove("JAVA_HOME");
        Result help = run("--help");
        assertThat(help.code()).isZero();
        assertThat(help.out())
                .contains("./coppice up", "./coppice branches create --name dev-alice", "COPPICE_DATA_DIR");
        assertThat(run().code()).isEqualTo(2);
    }

    @Test
    void help_names_every_command_of_the_client_with_all_its_verbs() throws IOException {
        String help = run("help").out();
        CoppiceCommand.commandLine(Map.of()).getSubcommands().forEach((name, command) -> {
            if (!name.equals(command.getCommandName())
                    || command.getCommandSpec().usageMessage().hidden()) {
                return;
            }
            Set<String> verbs = new TreeSet<>();
            help.lines()
                    .map(line -> line.strip().split(" +"))
                    .filter(words -> words[0].equals(name))
                    .forEach(words -> verbs.addAll(words.length == 1 ? List.of() : List.of(words[1].split("\\|"))));
            assertThat(help).containsPattern("(?m)^  " + name + "\\b");
            if (!command.getSubcommands().isEmpty()) {
                assertThat(verbs)
                        .as(name)
                        .isEqualTo(command.getSubcommands().values().stream()
                                .map(CommandLine::getCommandName)
                                .collect(Collectors.toSet()));
            }
        });
    }

    @Test
    void up_starts_the_server_with_what_the_options_say() throws IOException {
        Files.createDirectory(home.resolve("config"));
        Files.createFile(home.resolve("config/coppice.yaml"));
        environment.put("COPPICE_JAVA_OPTS", "-Xmx1g -Dx=y");
        Result up = run("up", "--data", "/some where", "--config=/c.yaml");
        assertThat(up.code()).isZero();
        assertThat(up.out())
                .contains("--enable-native-access=ALL-UNNAMED", "-Xmx1g -Dx=y -cp " + home + "/server/target/lib/a.jar")
                .contains("dev.coppice.server.Main\n", "COPPICE_DATA_DIR=/some where", "COPPICE_CONFIG=/c.yaml");
        assertThat(run("up").out()).contains("COPPICE_CONFIG=" + home + "/config/coppice.yaml");
    }

    @Test
    void up_refuses_what_it_does_not_know() throws IOException {
        assertThat(run("up", "--dta", "x").code()).isEqualTo(2);
        assertThat(run("up", "--data").err()).contains("error: --data needs a value");
    }

    @Test
    void other_commands_go_to_the_client_as_they_are() throws IOException {
        Result psql = run("psql", "a b", "--", "-c", "select 1");
        assertThat(psql.out()).contains(home + "/cli/target/lib/a.jar dev.coppice.cli.Main psql a b -- -c select 1\n");
    }

    @Test
    void an_older_java_home_is_passed_over_for_a_newer_java_on_the_path() throws IOException {
        Path newer = jdk("newer", "26", true);
        environment.put("JAVA_HOME", jdk("jdk-17", "17.0.15", true).toString());
        Files.createSymbolicLink(programs.resolve("java"), newer.resolve("bin/java"));
        assertThat(run("java-home").out()).isEqualTo(newer + "\n");
    }

    @Test
    void a_jdk_below_sdkman_is_found_and_one_that_is_no_number_is_not() throws IOException {
        environment.put("JAVA_HOME", jdk("odd", "early", true).toString());
        Path sdkman = jdk(".sdkman/candidates/java/99-tem", "99.0.1", true);
        // JDKs of this machine under /usr/lib/jvm and /opt come first, and may be new enough.
        assertThat(run("java-home").out())
                .isNotEqualTo(home.resolve("odd") + "\n")
                .matches("(?s)(/usr/lib/jvm|/opt)/.*|" + sdkman + "\n");
    }

    @Test
    void without_a_cache_the_client_runs_all_the_same_and_with_one_it_is_used() throws IOException {
        assertThat(run("status").out()).doesNotContain("AOT");
        Files.createFile(home.resolve("cli/target/cli.aot"));
        assertThat(run("status").out())
                .contains("-XX:AOTCache=" + home + "/cli/target/cli.aot -Xlog:aot=off")
                .endsWith("dev.coppice.cli.Main status\n");
    }

    @Test
    void it_works_from_anywhere_and_through_links() throws IOException {
        Path elsewhere = Files.createDirectories(home.resolve("else where/bin"));
        Files.createSymbolicLink(elsewhere.resolve("first"), Path.of("..", "..", "coppice"));
        Path link = Files.createSymbolicLink(home.resolve("second"), elsewhere.resolve("first"));
        Result status = runScript(link, elsewhere, "status");
        assertThat(status.out()).contains("-cp " + home + "/cli/target/lib/a.jar");
    }

    @Test
    void every_missing_tool_is_named_at_once_with_how_to_install_it() throws IOException {
        sources();
        Files.delete(programs.resolve("cc"));
        Result build = run("build");
        assertThat(build.code()).isEqualTo(4);
        assertThat(build.err())
                .contains("error: Maven (mvn) is missing", "apt-get install maven", "apk add maven")
                .contains("error: a C compiler (cc) is missing", "dnf install gcc")
                .doesNotContain("a JDK 25");
    }

    @Test
    void it_builds_once_and_again_when_a_source_changed() throws IOException {
        sources();
        script(
                programs.resolve("mvn"),
                "echo \"maven $*\" >> " + home + "/calls; mkdir -p cli/target/lib server/target/lib");
        assertThat(run("status").code()).isZero();
        assertThat(run("status").code()).isZero();
        assertThat(home.resolve("calls")).content().hasLineCount(1).contains("package -pl server,cli -am");
        assertThat(home.resolve("target/build.log"))
                .content()
                .contains("dev.coppice.cli.aot.OldClassFiles " + home + "/cli/target/lib")
                .contains("-XX:AOTCacheOutput=" + home + "/cli/target/cli.aot", "dev.coppice.cli.aot.TrainingRun")
                .contains("-XX:AOTCacheOutput=" + home + "/server/target/server.aot");
        Files.writeString(home.resolve("cli/src/main/A.java"), "changed");
        run("status");
        assertThat(home.resolve("calls")).content().hasLineCount(2);
    }

    @Test
    void a_failed_build_shows_the_errors_and_is_tried_again() throws IOException {
        sources();
        script(programs.resolve("mvn"), "echo '[INFO] noise'; echo '[ERROR] no such symbol'; exit 1");
        Result failed = run("status");
        assertThat(failed.code()).isEqualTo(1);
        assertThat(failed.err())
                .contains("the build failed", "[ERROR] no such symbol")
                .doesNotContain("noise");
        assertThat(run("status").code()).isEqualTo(1);
    }

    @Test
    void test_adds_the_totals_of_all_modules_and_keeps_the_exit_code() throws IOException {
        sources();
        script(programs.resolve("mvn"), """
                echo '[INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.1 s -- in A'
                echo '[INFO] Tests run: 30, Failures: 0, Errors: 0, Skipped: 0'
                echo '[ERROR] Tests run: 12, Failures: 1, Errors: 2, Skipped: 0'
                echo '[WARNING] Tests run: 4, Failures: 0, Errors: 0, Skipped: 3'
                exit ${CODE:-0}
                """);
        Result good = run("test", "-pl", "cli");
        assertThat(good.code()).isZero();
        assertThat(good.out()).endsWith("Tests run: 46, Failures: 1, Errors: 2, Skipped: 3\n");
        environment.put("CODE", "1");
        Result bad = run("test");
        assertThat(bad.code()).isEqualTo(1);
        assertThat(bad.out()).contains("Something failed").endsWith("Skipped: 3\n");
    }

    @Test
    void quick_leaves_the_integration_tests_out_and_long_runs_the_long_ones() throws IOException {
        sources();
        script(programs.resolve("mvn"), "echo \"maven $*\"");
        assertThat(run("test").out()).contains(" verify\n").doesNotContain("test.integration", "test.groups");
        assertThat(run("test", "--quick", "-pl", "cli").out())
                .contains("-Dtest.integration=", "-Dtest.fuzz.skip=true", " test -pl cli\n");
        assertThat(run("test", "--long").out()).contains("-Dtest.groups=long", " verify\n");
    }

    @Test
    void an_installation_needs_no_tools() throws IOException {
        assertThat(run("status").code()).isZero();
        assertThat(run("build").err()).contains("there are no sources here to build");
        assertThat(run("test").err()).contains("there are no sources here to test");
    }

    private void sources() throws IOException {
        Path scripts = Files.createDirectory(home.resolve("tools"));
        Files.copy(REAL.resolveSibling("tools").resolve("test.sh"), scripts.resolve("test.sh"));
        Files.createFile(home.resolve("pom.xml"));
        Files.createFile(home.resolve("cli/pom.xml"));
        Files.createDirectories(home.resolve("cli/src/main"));
        script(programs.resolve("cc"), "exit 0");
    }

    private Path jdk(String name, String version, boolean compiler) throws IOException {
        Path jdk = Files.createDirectories(home.resolve(name));
        Files.createDirectory(jdk.resolve("bin"));
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
        script(jdk.resolve("bin/java"), "echo \"$*\"; env | grep COPPICE_ || :");
        if (compiler) {
            script(jdk.resolve("bin/javac"), "exit 0");
        }
        return jdk;
    }

    private static void script(Path file, String body) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + body + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static Path where(String tool) {
        for (String directory : System.getenv("PATH").split(":")) {
            if (Files.isExecutable(Path.of(directory, tool))) {
                return Path.of(directory, tool);
            }
        }
        throw new IllegalStateException(tool + " is not on the PATH");
    }

    private Result run(String... arguments) throws IOException {
        return runScript(home.resolve("coppice"), programs, arguments);
    }

    private Result runScript(Path script, Path directory, String... arguments) throws IOException {
        List<String> command = new java.util.ArrayList<>(List.of(script.toString()));
        command.addAll(List.of(arguments));
        Path out = home.resolve("out");
        Path err = home.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        Process process = builder.start();
        process.getOutputStream().close();
        int code = process.onExit().join().exitValue();
        return new Result(
                code, Files.readString(out, StandardCharsets.UTF_8), Files.readString(err, StandardCharsets.UTF_8));
    }
}
