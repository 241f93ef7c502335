package dev.coppice.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Clients of a pooled endpoint that send anything, against a real Postgres: others must not notice. */
class PooledFuzzIT {
    private static final int ROUNDS = 150;
    private static final String TYPES = "QPBDCESHFXdcfpZ?";

    @RegisterExtension
    static final ProxyFixture fixture = new ProxyFixture();

    private static byte[] message(char type, byte[] body) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeByte(type);
        out.writeInt(4 + body.length);
        out.write(body);
        return bytes.toByteArray();
    }

    private static byte[] text(String text) {
        return text.getBytes(UTF_8);
    }

    /** Mostly well-formed requests in any order, so that the pairing of requests and replies is put to the test. */
    private static byte[] request(Random random) throws IOException {
        String name = random.nextInt(3) == 0 ? "" : "s" + random.nextInt(3);
        return switch (random.nextInt(12)) {
            case 0 -> message('Q', text("select 1\0"));
            case 1 -> message('Q', text("select 1/0\0"));
            case 2 -> message('Q', text("begin\0"));
            case 3 -> message('Q', text("rollback\0"));
            case 4 -> message('P', text(name + "\0select " + random.nextInt(3) + "\0\0\0"));
            case 5 -> message('P', text(name + "\0select nonsense\0\0\0"));
            case 6 -> message('B', text("\0" + name + "\0\0\0\0\0\0\0"));
            case 7 -> message('D', text("S" + name + "\0"));
            case 8 -> message('C', text("S" + name + "\0"));
            case 9 -> message('E', text("\0\0\0\0\0"));
            case 10 -> message('S', new byte[0]);
            default -> {
                byte[] body = new byte[random.nextInt(40)];
                random.nextBytes(body);
                yield message(TYPES.charAt(random.nextInt(TYPES.length())), body);
            }
        };
    }

    @Test
    void whatever_one_client_sends_others_get_their_answers() throws Exception {
        long seed = Long.getLong("coppice.seed", System.nanoTime());
        Random random = new Random(seed);
        try (Connection good =
                        fixture.connect("shop", "options", "endpoint=ep-main-1-pooler", "prepareThreshold", "1");
                var statement = good.prepareStatement("select ?::int * 2")) {
            for (int round = 0; round < ROUNDS; round++) {
                String label = "-Dcoppice.seed=" + seed + " round " + round;
                try (RawClient client = new RawClient(fixture.port())) {
                    client.authenticate("alice", ProxyFixture.PASSWORD, "shop@ep-main-1-pooler");
                    int length = 1 + random.nextInt(30);
                    for (int i = 0; i < length; i++) {
                        client.send(request(random));
                    }
                    if (random.nextBoolean()) {
                        client.send(message('S', new byte[0]));
                    }
                    client.drain(20);
                } catch (IOException _) {
                    // Closed by the proxy: what was sent broke the protocol.
                }
                statement.setInt(1, round);
                try (var row = statement.executeQuery()) {
                    row.next();
                    assertThat(row.getInt(1)).as(label).isEqualTo(2 * round);
                }
            }
        }
        Awaitility.await().untilAsserted(() -> {
            assertThat(gauge("clients")).isZero();
            assertThat(gauge("servers-busy")).isZero();
            assertThat(gauge("waiting")).isZero();
        });
    }

    /**
     * Requests that Postgres answers the same way each time, whatever came before; each batch ends with a Query or a Sync,
     * and its answer is waited for, as what a name stands for after an error is known only then.
     */
    private static List<byte[]> batches(Random random, int round) throws IOException {
        // In a failed transaction Postgres refuses a Parse that the pool, which has the statement, does not send it.
        boolean transactions = random.nextBoolean();
        List<byte[]> batches = new ArrayList<>();
        int count = 1 + random.nextInt(12);
        for (int batch = 0; batch < count; batch++) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            int length = random.nextInt(10);
            for (int i = 0; i < length; i++) {
                String name = random.nextInt(3) == 0 ? "" : "s" + random.nextInt(3);
                String query = transactions ? "select " + round + "" + batch + "" + i : "select " + random.nextInt(3);
                switch (random.nextInt(7)) {
                    case 0, 1 -> {
                        all.write(message('C', text("S" + name + "\0")));
                        all.write(message('P', text(name + "\0" + query + "\0\0\0")));
                    }
                    case 2 -> all.write(message('B', text("\0" + name + "\0\0\0\0\0\0\0")));
                    case 3 -> all.write(message('D', text("S" + name + "\0")));
                    case 4 -> all.write(message('E', text("\0\0\0\0\0")));
                    case 5 -> {
                        all.write(message('C', text("S" + name + "\0")));
                        all.write(message('P', text(name + "\0select nonsense\0\0\0")));
                    }
                    default -> all.write(message('H', new byte[0]));
                }
            }
            all.write(message('S', new byte[0]));
            batches.add(all.toByteArray());
            String simple = switch (random.nextInt(6)) {
                case 0 -> "select 1; select 2";
                case 1 -> "select 1/0";
                case 2 -> transactions ? "begin" : "";
                case 3 -> transactions ? "commit" : "";
                default -> "";
            };
            if (!simple.isEmpty()) {
                batches.add(message('Q', text(simple + "\0")));
            }
        }
        return batches;
    }

    /** The types of the replies, with the status of each ReadyForQuery. */
    private static String replies(String database, List<byte[]> batches) throws Exception {
        StringBuilder types = new StringBuilder();
        try (RawClient client = new RawClient(fixture.port())) {
            client.authenticate("alice", ProxyFixture.PASSWORD, database);
            client.readUntil('Z');
            for (byte[] batch : batches) {
                client.send(batch);
                RawClient.Reply reply;
                do {
                    reply = client.read();
                    types.append(reply.end() ? '.' : reply.type());
                } while (!reply.end() && reply.type() != 'Z');
                types.append(reply.end() ? ' ' : (char) reply.body().get(0)).append(' ');
            }
            return types.toString();
        }
    }

    @Test
    void a_pooled_endpoint_answers_as_postgres_itself_does() throws Exception {
        long seed = Long.getLong("coppice.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int round = 0; round < ROUNDS; round++) {
            List<byte[]> batches = batches(random, round);
            StringBuilder shown = new StringBuilder();
            batches.forEach(batch ->
                    shown.append(new String(batch, UTF_8).replace('\0', '~')).append(" / "));
            assertThat(replies("shop@ep-main-1-pooler", batches))
                    .as("-Dcoppice.seed=%s round %s: %s", seed, round, shown)
                    .isEqualTo(replies("shop@main", batches));
        }
    }

    private static int gauge(String name) {
        return fixture.poolGauge(name);
    }
}
