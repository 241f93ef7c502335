package dev.coppice.cli.aot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TrainingRunTest {
    @Test
    void each_line_is_a_command_and_one_that_fails_does_not_end_it() throws IOException {
        StringWriter out = new StringWriter();
        TrainingRun.run(
                new BufferedReader(new StringReader("branches lits\n\nbranches  list --api-url nowhere\n--help\n")),
                new PrintWriter(out, true),
                Map.of("COPPICE_API_KEY", "napi_none"));
        assertThat(out.toString())
                .contains("coppice branches lits: exit code 2")
                .contains("not an API address: \"nowhere\"")
                .contains("Postgres with instant branches.")
                .endsWith("coppice --help: exit code 0" + System.lineSeparator());
    }
}
