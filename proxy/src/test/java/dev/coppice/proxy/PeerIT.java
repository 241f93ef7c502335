package dev.coppice.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.coppice.proxy.route.ComputeSocket;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.LoggerFactory;

/** A program in a compute puts something else in the place of its socket: whoever listens there gets no byte. */
class PeerIT {
    @RegisterExtension
    static final ProxyFixture fixture = new ProxyFixture();

    private final AtomicInteger bytes = new AtomicInteger();

    /** Another server of the machine. */
    private FakeCompute other() throws IOException {
        return new FakeCompute(connection -> {
            while (connection.in.read() >= 0) {
                bytes.incrementAndGet();
            }
        });
    }

    /** The compute's socket as it was, with a link to the other one in its place. */
    private static ComputeSocket linked(Path directory, FakeCompute to) throws IOException {
        ComputeSocket compute = fixture.postgres.socket();
        Path link = Files.createSymbolicLink(directory.resolve("s"), to.path());
        return new ComputeSocket(link, compute.uid(), compute.pid());
    }

    private static void assertRefused(String... properties) {
        assertThatThrownBy(() -> fixture.connect("shop", properties))
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("08006"));
    }

    @Test
    void a_link_to_another_servers_socket_is_no_compute() throws Exception {
        Logger logger = (Logger) LoggerFactory.getLogger("dev.coppice.proxy.relay.PeerCheck");
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.start();
        logger.addAppender(lines);
        Path directory = Files.createTempDirectory("coppice-");
        try (FakeCompute other = other()) {
            ComputeSocket link = linked(directory, other);
            fixture.directory.wake = () -> CompletableFuture.completedFuture(link);
            assertRefused();
            assertRefused("options", "endpoint=ep-dev-2-pooler", "ApplicationName", "peer");
            assertThat(bytes).hasValue(0);
            assertThat(lines.list)
                    .isNotEmpty()
                    .allSatisfy(line -> assertThat(line.getFormattedMessage())
                            .contains(link.path().toString())
                            .contains("process " + ProcessHandle.current().pid()));
        } finally {
            logger.detachAppender(lines);
            TestDirectories.delete(directory);
        }
    }

    @Test
    void another_process_of_the_same_user_is_no_compute() throws Exception {
        ComputeSocket right = fixture.postgres.socket();
        for (ComputeSocket wrong : new ComputeSocket[] {
            new ComputeSocket(right.path(), right.uid(), right.pid() + 1),
            new ComputeSocket(right.path(), right.uid() + 1, right.pid())
        }) {
            fixture.directory.wake = () -> CompletableFuture.completedFuture(wrong);
            assertRefused();
        }
        fixture.awake();
        try (var connection = fixture.connect("shop")) {
            assertThat(ProxyFixture.one(connection, "select 1")).isEqualTo("1");
        }
    }

    @Test
    void a_cancel_request_goes_nowhere_else() throws Exception {
        Path directory = Files.createTempDirectory("coppice-");
        try (FakeCompute other = other();
                RawClient session = new RawClient(fixture.port())) {
            Path socket = Files.createSymbolicLink(
                    directory.resolve("s"), fixture.postgres.socket().path());
            ComputeSocket compute = fixture.postgres.socket();
            fixture.directory.wake =
                    () -> CompletableFuture.completedFuture(new ComputeSocket(socket, compute.uid(), compute.pid()));
            session.authenticate(RawClient.V3_2, "alice", ProxyFixture.PASSWORD, "shop");
            RawClient.Reply key = session.readUntil('K');
            Files.delete(socket);
            Files.createSymbolicLink(socket, other.path());
            try (RawClient canceller = new RawClient(fixture.port())) {
                canceller.cancel(key.bytes());
                assertThat(canceller.read().end()).isTrue();
            }
            await().during(Duration.ofMillis(200))
                    .untilAsserted(() -> assertThat(bytes).hasValue(0));
        } finally {
            TestDirectories.delete(directory);
        }
    }
}
