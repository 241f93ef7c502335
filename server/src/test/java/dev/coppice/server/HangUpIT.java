package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What SIGHUP means: the closing of the terminal that a server was started from, or a word to read its configuration. */
class HangUpIT {
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    @Test
    void a_server_ends_with_its_terminal_and_reloads_while_it_has_one() throws Exception {
        assumeTrue(Programs.succeeds("script", "--version"), "script, which makes a terminal, is not installed");
        Path directory = TestDirectories.create("hup");
        try (ServerProcess server = ServerProcess.startInTerminal(directory)) {
            long pid = server.serverPid();
            assertThat(Programs.succeeds("kill", "-HUP", Long.toString(pid))).isTrue();
            await().atMost(PATIENCE).until(() -> server.log().contains("The configuration was read again"));
            assertThat(ProcessHandle.of(pid)).isPresent();
            // The window is closed.
            server.kill();
            await().atMost(PATIENCE).until(() -> !isRunning(server.data()));
        }
    }

    /** Whether a server, a compute or the catalog runs on the data. */
    private static boolean isRunning(Path data) {
        return ProcessHandle.allProcesses().anyMatch(process -> {
            try {
                return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline"))
                        .contains(data.toString());
            } catch (IOException e) {
                return false;
            }
        });
    }
}
