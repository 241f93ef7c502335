package dev.coppice.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.coppice.proxy.pool.PoolSettings;
import dev.coppice.proxy.route.RoutedEndpoint;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A compute that was taken over, or is none: its client is told or closed, nobody else notices, memory stays bounded. */
class MaliciousComputeIT {
    private static final int RANDOM_SCRIPTS = 100;
    private static final String TYPES = "RSKZEN123CDTtnIsGHWVcvA?";

    @RegisterExtension
    static final ProxyFixture fixture = new ProxyFixture();

    private final MetricRegistry metrics = new MetricRegistry();
    private final AtomicInteger passwordsTold = new AtomicInteger();
    private ProxyServer proxy = fixture.proxy;

    @BeforeEach
    void startWithShortTimeouts() {
        proxy = fixture.start(
                fixture.change()
                        .wakeTimeout(Duration.ofSeconds(2))
                        .pool(new PoolSettings(
                                4, 100, Duration.ofSeconds(2), Duration.ofSeconds(60), Duration.ofHours(1), 10))
                        .build(),
                metrics);
    }

    @AfterEach
    void stop() {
        proxy.close();
        fixture.directory.computes.clear();
    }

    private static byte[] text(String text) {
        return text.getBytes(UTF_8);
    }

    /** What goes wrong before the first ReadyForQuery. */
    private Map<String, FakeCompute.Script> brokenLogins() {
        Map<String, FakeCompute.Script> scripts = new LinkedHashMap<>();
        scripts.put("says nothing", FakeCompute.Connection::idle);
        scripts.put("closes at once", _ -> {});
        scripts.put("closes inside a message", c -> {
            c.readStartup();
            c.header('R', 100);
        });
        scripts.put("says garbage", c -> {
            byte[] garbage = new byte[5000];
            new Random(7).nextBytes(garbage);
            c.out.write(garbage);
            c.idle();
        });
        scripts.put("claims two gigabytes", c -> {
            c.readStartup();
            c.header('R', Integer.MAX_VALUE);
            c.idle();
        });
        scripts.put("claims a negative length", c -> {
            c.readStartup();
            c.header('R', -5);
            c.idle();
        });
        scripts.put("wants the password in clear", c -> {
            c.readStartup();
            c.sasl(3, "");
            if (c.read() == 'p') {
                passwordsTold.incrementAndGet();
            }
        });
        scripts.put("lets everybody in", c -> {
            c.readStartup();
            c.sasl(0, "");
            c.send('Z', (byte) 'I');
            c.idle();
        });
        scripts.put("offers no SCRAM", c -> {
            c.readStartup();
            c.sasl(10, "NONSENSE\0\0");
            c.idle();
        });
        scripts.put("offers mechanisms without an end", c -> {
            c.readStartup();
            c.sasl(10, "SCRAM-SHA-256");
            c.idle();
        });
        scripts.put("answers with another nonce", c -> {
            c.readStartup();
            c.sasl(10, "SCRAM-SHA-256\0\0");
            c.read();
            c.sasl(11, "r=another,s=AAAA,i=4096");
            c.idle();
        });
        scripts.put("does not prove itself", c -> {
            c.readStartup();
            c.sasl(10, "SCRAM-SHA-256\0\0");
            c.read();
            String first = new String(c.body, UTF_8);
            c.sasl(11, first.substring(first.indexOf("r=")) + "x,s=AAAA,i=4096");
            c.read();
            c.sasl(12, "v=AAAA");
            c.sasl(0, "");
            c.send('Z', (byte) 'I');
            c.idle();
        });
        scripts.put("sends notices for ever", c -> {
            c.authenticate();
            while (true) {
                c.send('N', new byte[60_000]);
            }
        });
        scripts.put("gives a cancel key too long", c -> {
            c.authenticate();
            c.send('K', new byte[4 + 257]);
            c.idle();
        });
        scripts.put("gives a cancel key too short", c -> {
            c.authenticate();
            c.send('K', new byte[5]);
            c.idle();
        });
        scripts.put("sends an empty ReadyForQuery", c -> {
            c.authenticate();
            c.send('Z');
            c.idle();
        });
        scripts.put("sends an error without an end", c -> {
            c.readStartup();
            c.send('E', text("Cxxxxx"));
            c.idle();
        });
        return scripts;
    }

    /** What goes wrong in answer to the first query, or unasked. */
    private static Map<String, FakeCompute.Script> brokenSessions() {
        Map<String, FakeCompute.Script> scripts = new LinkedHashMap<>();
        scripts.put("claims two gigabytes", c -> {
            c.login();
            c.awaitRequest();
            c.header('D', Integer.MAX_VALUE);
            c.idle();
        });
        scripts.put("claims a length of nothing", c -> {
            c.login();
            c.awaitRequest();
            c.header('D', 0);
            c.idle();
        });
        scripts.put("closes at once", c -> {
            c.login();
            c.awaitRequest();
        });
        scripts.put("closes inside a message", c -> {
            c.login();
            c.awaitRequest();
            c.header('D', 100);
            c.send('x', (byte) 1);
        });
        scripts.put("closes before it is asked", FakeCompute.Connection::login);
        scripts.put("reports parameters for ever", c -> {
            c.login();
            for (int i = 0; ; i++) {
                c.send('S', text("name" + i + "\0" + "x".repeat(3000) + "\0"));
            }
        });
        scripts.put("is ready twice", c -> {
            c.login();
            while (true) {
                c.awaitRequest();
                c.send('Z', (byte) 'I');
                c.send('Z', (byte) 'T');
            }
        });
        return scripts;
    }

    /** Asks, and reads what comes until the end; the types of the messages, with the SQLSTATE of errors. */
    private String ends(String endpoint) throws Exception {
        StringBuilder seen = new StringBuilder();
        try (RawClient client = new RawClient(proxy.address().getPort())) {
            client.authenticate("alice", ProxyFixture.PASSWORD, "shop@" + endpoint);
            client.message('Q', text("select 1\0"));
            client.timeout(5000);
            RawClient.Reply reply = client.read();
            for (int messages = 0; !reply.end() && messages < 10_000; messages++) {
                seen.append(reply.type());
                if (reply.type() == 'E') {
                    seen.append(reply.text().replaceAll("(?s).*\nC(.....)\n.*", "($1)"));
                }
                reply = client.read();
            }
            return seen.append(reply.end() ? "." : "...").toString();
        } catch (IOException e) {
            // A relay passes on whatever the compute says: what is no message to us is none to the client.
            return seen.append(e.getMessage()).toString();
        }
    }

    /** Plays all of them at once, relayed or pooled, while others ask their own computes. */
    private void playAll(Map<String, FakeCompute.Script> scripts, String suffix, String expected) throws Exception {
        List<FakeCompute> computes = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Map<String, Future<String>> ends = new LinkedHashMap<>();
            for (Map.Entry<String, FakeCompute.Script> each : scripts.entrySet()) {
                FakeCompute compute = new FakeCompute(each.getValue());
                computes.add(compute);
                String endpoint = "ep-bad-" + computes.size();
                fixture.directory.endpoints.add(new RoutedEndpoint(endpoint, "bad " + endpoint, "project-1"));
                fixture.directory.computes.put(endpoint, compute.socket());
                ends.put(each.getKey(), threads.submit(() -> ends(endpoint + suffix)));
            }
            assertOthersAreServed();
            for (Map.Entry<String, Future<String>> each : ends.entrySet()) {
                assertThat(each.getValue().get()).as(each.getKey()).matches(expected);
            }
            assertOthersAreServed();
        } finally {
            for (FakeCompute compute : computes) {
                compute.close();
            }
            fixture.directory.endpoints.removeIf(
                    endpoint -> endpoint.endpointId().startsWith("ep-bad"));
        }
        await().untilAsserted(() -> assertThat(ProxyFixture.open(metrics)).isZero());
        assertThat(passwordsTold).hasValue(0);
    }

    private void assertOthersAreServed() throws Exception {
        int port = proxy.address().getPort();
        for (String endpoint : List.of("ep-main-1", "ep-main-1-pooler")) {
            try (Connection other = ProxyFixture.connect(
                    port, "shop", "alice", ProxyFixture.PASSWORD, "options", "endpoint=" + endpoint)) {
                assertThat(ProxyFixture.one(other, "select 1")).isEqualTo("1");
            }
        }
    }

    @Test
    void a_broken_login_is_told_to_the_client() throws Exception {
        playAll(brokenLogins(), "", "E\\((08006|57P03|XX000|xxxxx)\\)\\.");
    }

    @Test
    void a_broken_login_is_told_to_the_pooled_client() throws Exception {
        // 53300 where the deadline in line came first.
        playAll(brokenLogins(), "-pooler", "E\\((08006|57P03|53300|XX000|xxxxx)\\)\\.");
    }

    @Test
    void a_broken_session_ends_with_its_compute_or_is_the_clients_to_judge() throws Exception {
        playAll(brokenSessions(), "", "SKZ.*(\\.|\\.\\.\\.|no message.*|Read timed out)");
    }

    @Test
    void a_broken_pooled_session_ends_or_has_done_no_harm() throws Exception {
        playAll(
                brokenSessions(),
                "-pooler",
                // The compute is lost, inside a message without a word; or none was to be had; or the client is none
                // the worse.
                "SKZS*E\\(08006\\)\\.|SKZ\\.|E\\(53300\\)\\.|SKZZ(Read timed out|E\\(08006\\)\\.)");
    }

    @Test
    void what_nobody_has_asked_reaches_no_pooled_client() throws Exception {
        FakeCompute.Script talkative = c -> {
            c.login();
            // In one write: what comes after the next request was sent is an answer to that one for all that anybody
            // can tell.
            ByteArrayOutputStream answerAndMore = new ByteArrayOutputStream();
            for (int i = 0; i < 2; i++) {
                answerAndMore.writeBytes(FakeCompute.message('C', text("SELECT 1\0")));
                answerAndMore.writeBytes(FakeCompute.message('Z', (byte) 'I'));
                if (i == 0) {
                    answerAndMore.writeBytes(FakeCompute.message('D', (byte) 0, (byte) 0));
                }
            }
            while (true) {
                c.awaitRequest();
                c.out.write(answerAndMore.toByteArray());
            }
        };
        try (FakeCompute compute = new FakeCompute(talkative);
                RawClient client = new RawClient(proxy.address().getPort())) {
            fixture.directory.computes.put("ep-dev-2", compute.socket());
            client.authenticate("alice", ProxyFixture.PASSWORD, "shop@ep-dev-2-pooler");
            client.readUntil('Z');
            for (int i = 0; i < 20; i++) {
                client.message('Q', text("select 1\0"));
                assertThat(client.read().type()).isEqualTo('C');
                assertThat(client.read().type()).isEqualTo('Z');
            }
        }
    }

    @Test
    void a_flood_that_the_client_does_not_read_stays_with_the_compute() throws Exception {
        byte[] row = FakeCompute.message('D', new byte[32_000]);
        FakeCompute.Script flood = c -> {
            c.login();
            c.awaitRequest();
            while (true) {
                c.out.write(row);
            }
        };
        for (String suffix : List.of("", "-pooler")) {
            try (FakeCompute compute = new FakeCompute(flood);
                    RawClient client = new RawClient(proxy.address().getPort())) {
                fixture.directory.computes.put("ep-dev-2", compute.socket());
                client.authenticate("alice", ProxyFixture.PASSWORD, "shop@ep-dev-2" + suffix);
                client.message('Q', text("select 1\0"));
                client.readUntil('D');
                for (int i = 0; i < 10; i++) {
                    Thread.sleep(50);
                    assertThat(nettyBytes()).isLessThan(64L << 20);
                }
                assertOthersAreServed();
            }
        }
    }

    /** Up to some point a login as it should be, then messages of any kind, some of them damaged. */
    private static Map<String, FakeCompute.Script> randomScripts() {
        long seed = Long.getLong("coppice.seed", System.nanoTime());
        Map<String, FakeCompute.Script> scripts = new LinkedHashMap<>();
        for (int i = 0; i < RANDOM_SCRIPTS; i++) {
            Random random = new Random(seed + i);
            scripts.put("-Dcoppice.seed=" + seed + " script " + i, c -> {
                switch (random.nextInt(4)) {
                    case 0 -> c.readStartup();
                    case 1 -> c.authenticate();
                    default -> c.login();
                }
                int messages = random.nextInt(20);
                for (int j = 0; j < messages; j++) {
                    byte[] body = new byte[random.nextInt(200)];
                    random.nextBytes(body);
                    byte[] message = FakeCompute.message(TYPES.charAt(random.nextInt(TYPES.length())), body);
                    if (random.nextInt(4) == 0) {
                        message[random.nextInt(message.length)] = (byte) random.nextInt();
                    }
                    c.out.write(message);
                }
                Thread.sleep(random.nextInt(300));
            });
        }
        return scripts;
    }

    @Test
    void whatever_a_compute_says_the_session_ends_with_it() throws Exception {
        playAll(randomScripts(), "", "(?s).*");
    }

    @Test
    void whatever_a_compute_says_the_pooled_session_ends() throws Exception {
        playAll(randomScripts(), "-pooler", "(?s).*");
    }

    private static long nettyBytes() {
        var metric = ((ByteBufAllocatorMetricProvider) ByteBufAllocator.DEFAULT).metric();
        return metric.usedDirectMemory() + metric.usedHeapMemory();
    }
}
