package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ServiceNotificationTest {
    /** The JDK cannot receive datagrams of Unix sockets, so another program does. */
    private static final String RECEIVER = """
            import socket, sys
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.bind(sys.argv[1])
            print("bound", flush=True)
            for _ in range(2):
                print(s.recv(4096).decode(), flush=True)
            """;

    @Test
    void systemd_is_told_when_clients_can_connect_and_when_the_server_stops() throws Exception {
        assumeThat(Files.isExecutable(Path.of("/usr/bin/python3"))).isTrue();
        Path directory = Files.createTempDirectory("cn");
        Path socket = directory.resolve("notify");
        Process receiver = new ProcessBuilder("/usr/bin/python3", "-c", RECEIVER, socket.toString()).start();
        try (var lines = receiver.inputReader()) {
            assertThat(lines.readLine()).isEqualTo("bound");
            ServiceNotification notification = new ServiceNotification(Map.of("NOTIFY_SOCKET", socket.toString()));
            notification.ready();
            notification.stopping();
            assertThat(lines.lines().toList())
                    .containsExactly(
                            "READY=1",
                            "STATUS=ready",
                            "MAINPID=" + ProcessHandle.current().pid(),
                            "STOPPING=1",
                            "STATUS=suspending all computes");
            assertThat(receiver.waitFor(1, TimeUnit.MINUTES)).isTrue();
        } finally {
            receiver.destroyForcibly();
            Files.deleteIfExists(socket);
            Files.delete(directory);
        }
    }

    @Test
    void without_systemd_or_with_a_socket_that_nobody_reads_the_server_goes_on() throws IOException {
        new ServiceNotification(Map.of()).ready();
        for (String name :
                new String[] {"/nonexistent/notify", "@nobody-listens-here", "vsock:2:1234", "/" + "x".repeat(200)}) {
            assertThatCode(() -> new ServiceNotification(Map.of("NOTIFY_SOCKET", name)).ready())
                    .doesNotThrowAnyException();
        }
    }
}
