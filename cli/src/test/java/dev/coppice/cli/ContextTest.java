package dev.coppice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.cli.api.ProjectContext;
import dev.coppice.cli.api.RecordedApi;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What {@code .coppice} says is meant when nothing else is said. */
class ContextTest {
    private static final String ONE = "/projects/one-elm-11111111";
    private static final String BRANCHES = """
            {"branches":[{"id":"br-a-b-1","name":"main","default":true},{"id":"br-a-b-2","name":"dev","default":false}],
             "annotations":{}}""";

    private final RecordedApi api = new RecordedApi();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private Path directory;
    private Path file;

    @BeforeEach
    void recordAServer() throws IOException {
        directory =
                Files.createTempDirectory(Path.of(System.getProperty("coppice.build.directory", "target")), "context");
        file = directory.resolve(".coppice");
        api.on("GET " + ONE + "/branches", 200, BRANCHES)
                .on("GET " + ONE + "/branches/br-a-b-1/roles", 200, "{\"roles\":[{\"name\":\"of_main\"}]}")
                .on("GET " + ONE + "/branches/br-a-b-2/roles", 200, "{\"roles\":[{\"name\":\"of_dev\"}]}");
    }

    @AfterEach
    void stopTheServer() {
        api.close();
    }

    private int run(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--context-file", file.toString(), "--api-url", api.url(), "--api-key", RecordedApi.KEY));
        return Main.run(new PrintWriter(out), new PrintWriter(err), Map.of(), all.toArray(String[]::new));
    }

    @Test
    void a_context_names_the_project_and_the_branch() throws IOException {
        assertThat(run("set-context", "--project-id", "one-elm-11111111", "--branch", "dev"))
                .as(err.toString())
                .isZero();
        assertThat(Files.readString(file)).contains("one-elm-11111111").contains("dev");
        assertThat(run("roles", "list")).as(err.toString()).isZero();
        assertThat(out.toString()).contains("of_dev").doesNotContain("of_main");
        assertThat(run("roles", "list", "--branch", "main")).isZero();
        assertThat(out.toString()).contains("of_main");
    }

    @Test
    void what_does_not_exist_is_not_remembered() {
        assertThat(run("set-context", "--project-id", "one-elm-11111111", "--branch", "no-such"))
                .isEqualTo(1);
        assertThat(err.toString()).contains("no-such").contains("dev");
        assertThat(file).doesNotExist();
    }

    @Test
    void an_empty_context_is_forgotten_and_a_broken_one_is_told() throws IOException {
        Files.writeString(file, "{\"projectId\":\"one-elm-11111111\"}");
        assertThat(run("set-context")).isZero();
        assertThat(ProjectContext.find(file, directory)).isEqualTo(new ProjectContext(null, null));
        Files.writeString(file, "{");
        assertThat(run("roles", "list")).isEqualTo(2);
        assertThat(err.toString()).contains(file.toString()).contains("set-context");
    }

    @Test
    void the_nearest_file_above_counts() throws IOException {
        Path below = Files.createDirectories(directory.resolve("a/b"));
        new ProjectContext("p", "x").write(file);
        assertThat(ProjectContext.find(null, below)).isEqualTo(new ProjectContext("p", "x"));
        new ProjectContext("q", null).write(directory.resolve("a/.coppice"));
        assertThat(ProjectContext.find(null, below)).isEqualTo(new ProjectContext("q", null));
    }

    @Test
    void the_completion_script_knows_the_commands() {
        assertThat(run("completion")).isZero();
        assertThat(out.toString())
                .contains("complete -F")
                .contains("set-context")
                .contains("branches");
    }

    @Test
    void keys_computes_and_allowed_addresses_are_what_the_api_wants() {
        api.on(
                        "POST /api_keys",
                        200,
                        "{\"id\":3,\"name\":\"ci\",\"key\":\"coppice_x\",\"project_id\":\"one-elm-11111111\"}")
                .on("GET " + ONE, 200, "{\"project\":{\"settings\":{\"allowed_ips\":{\"ips\":[\"10.0.0.1\"]}}}}")
                .on(
                        "PATCH " + ONE,
                        200,
                        "{\"project\":{\"settings\":{\"allowed_ips\":{\"ips\":[\"10.0.0.1\",\"10.0.0.2\"]}}}}")
                .on("GET " + ONE + "/branches/br-a-b-2/endpoints", 200, "{\"endpoints\":[{\"id\":\"ep-a-b-3\"}]}")
                .on("PATCH " + ONE + "/endpoints/ep-a-b-3", 200, "{\"endpoint\":{},\"operations\":[]}")
                .on("GET " + ONE + "/endpoints/ep-a-b-3", 200, "{\"endpoint\":{\"id\":\"ep-a-b-3\"}}");
        String[] project = {"--project-id", "one-elm-11111111"};
        assertThat(run("api-keys", "create", "--name", "ci", "--only-project", project[0], project[1]))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).contains("coppice_x");
        assertThat(run("ip-allow", "add", "10.0.0.2", project[0], project[1]))
                .as(err.toString())
                .isZero();
        assertThat(run("computes", "update", "dev", "--size", "2", "--set", "work_mem=64MB", project[0], project[1]))
                .as(err.toString())
                .isZero();
        assertThat(api.requests())
                .contains("POST /api_keys {\"key_name\":\"ci\",\"project_id\":\"one-elm-11111111\"}")
                .contains("PATCH " + ONE
                        + " {\"project\":{\"settings\":{\"allowed_ips\":{\"ips\":[\"10.0.0.1\",\"10.0.0.2\"]}}}}")
                .contains("PATCH " + ONE + "/endpoints/ep-a-b-3 {\"endpoint\":{\"autoscaling_limit_min_cu\":2.0,"
                        + "\"autoscaling_limit_max_cu\":2.0,\"settings\":{\"pg_settings\":{\"work_mem\":\"64MB\"}}}}");
    }
}
