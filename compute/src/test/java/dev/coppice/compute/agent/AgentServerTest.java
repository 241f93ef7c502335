package dev.coppice.compute.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.AgentFixture;
import dev.coppice.storage.Timeline;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The bytes of docs/page-protocol.md, section 5, written out by hand. */
class AgentServerTest {
    private static final int EPOCH = 7;
    private static final String HELLO = "10000000" + "01" + "00" + "0000" + "02000000" + "0700000000000000";
    private static final String OK = "01000000" + "00";

    private static AgentFixture fixture;
    private static AgentServer server;
    private static Path socket;

    @BeforeAll
    static void open() throws IOException {
        fixture = new AgentFixture();
        socket = fixture.directory().resolve("agent.sock");
        server = AgentServer.start(socket, timeline(), EPOCH, fixture.user());
    }

    @AfterAll
    static void close() throws IOException {
        server.close();
        assertThat(socket).doesNotExist();
        fixture.close();
    }

    @Test
    void hello_of_the_epoch_is_accepted() throws IOException {
        try (Client client = new Client()) {
            client.send(HELLO);
            assertThat(client.receive(5)).isEqualTo(OK);
        }
    }

    @Test
    void hello_of_another_epoch_is_refused_in_words_and_the_connection_ends() throws IOException {
        try (Client client = new Client()) {
            client.send("10000000" + "01" + "00" + "0000" + "02000000" + "0600000000000000");
            assertThat(client.refusal()).contains("epoch 6").contains("epoch 7");
            client.expectEnd();
        }
    }

    @Test
    void another_protocol_version_is_refused() throws IOException {
        try (Client client = new Client()) {
            client.send("10000000" + "01" + "00" + "0000" + "01000000" + "0700000000000000");
            assertThat(client.refusal()).contains("version 1");
            client.expectEnd();
        }
    }

    @Test
    void anything_before_hello_is_refused() throws IOException {
        try (Client client = new Client()) {
            client.send("10000000" + "02" + "00" + "0000" + "00000000" + "0000000000000000");
            assertThat(client.refusal()).contains("HELLO");
            client.expectEnd();
        }
    }

    @Test
    void a_request_longer_than_any_can_be_is_refused_without_reading_it() throws IOException {
        try (Client client = new Client()) {
            client.greet();
            client.send("ffffff7f");
            assertThat(client.refusal()).contains("2147483647");
            client.expectEnd();
        }
    }

    @Test
    void a_path_length_that_contradicts_the_message_is_refused() throws IOException {
        try (Client client = new Client()) {
            client.greet();
            client.send("10000000" + "02" + "00" + "0500" + "00000000" + "0000000000000000");
            assertThat(client.refusal()).contains("5 bytes");
        }
    }

    @Test
    void stat_of_a_file_a_directory_and_nothing() throws IOException {
        try (Client client = new Client()) {
            client.greet();
            client.request(2, "PG_VERSION", 0, 0);
            assertThat(client.receive(4 + 10)).isEqualTo("0a000000" + "00" + "01" + "0300000000000000");
            client.request(2, "global", 0, 0);
            assertThat(client.receive(4 + 10)).isEqualTo("0a000000" + "00" + "02" + "0000000000000000");
            client.request(2, "no/such", 0, 0);
            assertThat(client.receive(4 + 10)).isEqualTo("0a000000" + "00" + "00" + "0000000000000000");
        }
    }

    @Test
    void stat_with_a_count_brings_the_pages_of_a_file_that_has_no_more() throws IOException {
        byte[] expected = timeline().readFile("pg_xact/0000").orElseThrow();
        int count = expected.length / 8192;
        try (Client client = new Client()) {
            client.greet();
            client.request(2, "pg_xact/0000", count, 0);
            String answer = client.receive(4 + 10 + count + 8192);
            assertThat(answer.substring(8, 12)).isEqualTo("00" + "01");
            assertThat(answer.substring(28, 30)).isEqualTo("01");
            assertThat(answer.substring(28 + 2 * count)).isEqualTo(hex(Arrays.copyOf(expected, 8192)));
            client.request(2, "base/1/1259", 1, 0);
            assertThat(client.receive(4 + 10)).startsWith("0a000000" + "00" + "01");
            client.request(2, "no/such", 16, 0);
            assertThat(client.receive(4 + 10)).isEqualTo("0a000000" + "00" + "00" + "0000000000000000");
        }
    }

    @Test
    void read_file_gives_the_bytes_or_absent() throws IOException {
        try (Client client = new Client()) {
            client.greet();
            client.request(4, "PG_VERSION", 1 << 20, 0);
            String text = hex((fixture.majorVersion() + "\n").getBytes(StandardCharsets.US_ASCII));
            assertThat(client.receive(4 + 13)).isEqualTo("0d000000" + "00" + "01" + "0300000000000000" + text);
            client.request(4, "no/such", 1 << 20, 0);
            assertThat(client.receive(4 + 10)).isEqualTo("0a000000" + "00" + "00" + "0000000000000000");
        }
    }

    @Test
    void read_file_gives_a_piece_from_a_block_on_and_the_size_of_the_whole() throws IOException {
        byte[] expected = timeline().readFile("base/1/1259").orElseThrow();
        try (Client client = new Client()) {
            client.greet();
            client.request(4, "base/1/1259", 10_000, 8192);
            String head = "1a270000" + "00" + "01";
            String answer = client.receive(4 + 10 + 10_000);
            assertThat(answer).startsWith(head);
            assertThat(answer.substring(28)).isEqualTo(hex(Arrays.copyOfRange(expected, 8192, 18_192)));
            assertThat(ByteBuffer.wrap(HexFormat.of().parseHex(answer.substring(12, 28)))
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .getLong())
                    .isEqualTo(expected.length);
            client.request(4, "PG_VERSION", 1 << 20, 8192);
            assertThat(client.receive(4 + 10)).isEqualTo("0a000000" + "00" + "01" + "0300000000000000");
            client.request(4, "PG_VERSION", 1 << 20, 1);
            assertThat(client.refusal()).contains("multiple");
        }
    }

    @Test
    void pages_come_through_shared_memory_that_the_compute_may_only_read() throws IOException {
        byte[] expected = timeline().readFile("base/1/1259").orElseThrow();
        try (Client client = new Client()) {
            client.greet();
            Path memory = client.share();
            try (FileChannel channel = FileChannel.open(memory, StandardOpenOption.READ)) {
                assertThat(Files.getPosixFilePermissions(memory))
                        .isEqualTo(PosixFilePermissions.fromString("rw-r-----"));
                if (!fixture.user().own()) {
                    assertThat(Files.getAttribute(memory, "unix:uid")).isEqualTo(0);
                }
                ByteBuffer shared = channel.map(FileChannel.MapMode.READ_ONLY, 0, 128 * 8192);
                client.request(7, "base/1/1259", 2, 1);
                assertThat(client.receive(4 + 1 + 2)).isEqualTo("03000000" + "00" + "01" + "01");
                assertThat(bytes(shared, 0, 2 * 8192)).isEqualTo(Arrays.copyOfRange(expected, 8192, 3 * 8192));
                assertThat(memory).doesNotExist();

                // Blocks 3, 4, 0 and one beyond the end, in this order.
                String path = hex("base/1/1259".getBytes(StandardCharsets.UTF_8));
                client.send("2b000000" + "08" + "00" + "0b00" + "04000000" + "0000000000000000" + path + "03000000"
                        + "04000000" + "00000000" + "ffffff7f");
                assertThat(client.receive(4 + 1 + 4)).isEqualTo("05000000" + "00" + "01" + "01" + "01" + "00");
                assertThat(bytes(shared, 0, 8192)).isEqualTo(Arrays.copyOfRange(expected, 3 * 8192, 4 * 8192));
                assertThat(bytes(shared, 8192, 8192)).isEqualTo(Arrays.copyOfRange(expected, 4 * 8192, 5 * 8192));
                assertThat(bytes(shared, 2 * 8192, 8192)).isEqualTo(Arrays.copyOf(expected, 8192));
            }
        }
    }

    @Test
    void shared_memory_that_nobody_opened_goes_with_its_connection_and_is_needed_for_its_requests() throws IOException {
        Path memory;
        try (Client client = new Client()) {
            client.greet();
            memory = client.share();
            assertThat(memory).exists();
        }
        await().atMost(Duration.ofSeconds(10)).until(() -> Files.notExists(memory));
        try (Client client = new Client()) {
            client.greet();
            client.request(7, "PG_VERSION", 1, 0);
            assertThat(client.refusal()).contains("no memory");
            client.expectEnd();
        }
    }

    @Test
    void list_gives_kinds_and_names_or_absent() throws IOException {
        try (Client client = new Client()) {
            client.greet();
            client.request(5, "pg_multixact", 0, 0);
            assertThat(client.receive(4 + 6 + 3 + 7 + 3 + 7))
                    .isEqualTo("1a000000" + "00" + "02" + "02000000" + "02" + "0700"
                            + hex("members".getBytes(StandardCharsets.US_ASCII)) + "02" + "0700"
                            + hex("offsets".getBytes(StandardCharsets.US_ASCII)));
            client.request(5, "no/such", 0, 0);
            assertThat(client.receive(4 + 6)).isEqualTo("06000000" + "00" + "00" + "00000000");
        }
    }

    @Test
    void read_pages_marks_data_and_zero_pages_and_sends_only_the_first() throws IOException {
        byte[] expected = timeline().readFile("pg_xact/0000").orElseThrow();
        try (Client client = new Client()) {
            client.greet();
            // The first block is data, those beyond the end of the file are zero; twice, so that buffers come again.
            for (int round = 0; round < 2; round++) {
                client.request(3, "pg_xact/0000", 3, 0);
                String answer = client.receive(4 + 1 + 3 + 8192);
                assertThat(answer).startsWith("04200000" + "00" + "01" + "00" + "00");
                assertThat(answer.substring(16)).isEqualTo(hex(Arrays.copyOf(expected, 8192)));
                client.request(3, "pg_xact/0000", 2, 5);
                assertThat(client.receive(4 + 1 + 2)).isEqualTo("03000000" + "00" + "00" + "00");
            }
        }
    }

    @Test
    void read_pages_answers_the_largest_request_and_refuses_a_larger() throws IOException {
        try (Client client = new Client()) {
            client.greet();
            client.request(3, "global/1262", 128, 0);
            client.receive(4 + 1 + 1);
        }
        try (Client client = new Client()) {
            client.greet();
            client.request(3, "global/1262", 129, 0);
            assertThat(client.refusal()).contains("129");
        }
    }

    @Test
    void a_file_that_is_not_there_is_refused_and_the_connection_goes_on() throws IOException {
        try (Client client = new Client()) {
            client.greet();
            client.request(3, "base/1/99999999", 1, 0);
            assertThat(client.refusal()).contains("base/1/99999999");
            client.request(2, "PG_VERSION", 0, 0);
            assertThat(client.receive(4 + 10)).startsWith("0a00000000");
        }
    }

    @Test
    void a_request_that_arrives_byte_by_byte_is_understood() throws IOException {
        try (Client client = new Client()) {
            client.greet();
            byte[] request = HexFormat.of()
                    .parseHex("1a000000" + "02" + "00" + "0a00" + "00000000" + "0000000000000000"
                            + hex("PG_VERSION".getBytes(StandardCharsets.US_ASCII)));
            for (byte b : request) {
                client.send(HexFormat.of().toHexDigits(b));
            }
            assertThat(client.receive(4 + 10)).isEqualTo("0a000000" + "00" + "01" + "0300000000000000");
        }
    }

    private static Timeline timeline() {
        return fixture.pages().timeline(new TimelineId("template"));
    }

    private static byte[] bytes(ByteBuffer buffer, int from, int length) {
        byte[] result = new byte[length];
        buffer.get(from, result);
        return result;
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    /** Speaks bytes, on purpose without the classes it tests. */
    private static final class Client implements AutoCloseable {
        private final SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));

        Client() throws IOException {}

        void greet() throws IOException {
            send(HELLO);
            assertThat(receive(5)).isEqualTo(OK);
        }

        void request(int op, String path, int count, long first) throws IOException {
            byte[] name = path.getBytes(StandardCharsets.UTF_8);
            ByteBuffer buffer = ByteBuffer.allocate(20 + name.length).order(ByteOrder.LITTLE_ENDIAN);
            buffer.putInt(16 + name.length)
                    .put((byte) op)
                    .put((byte) 0)
                    .putShort((short) name.length)
                    .putInt(count)
                    .putLong(first)
                    .put(name);
            send(hex(buffer.array()));
        }

        Path share() throws IOException {
            request(6, "", 0, 0);
            ByteBuffer length =
                    ByteBuffer.wrap(HexFormat.of().parseHex(receive(4))).order(ByteOrder.LITTLE_ENDIAN);
            byte[] body = HexFormat.of().parseHex(receive(length.getInt()));
            assertThat(body[0]).isEqualTo((byte) 0);
            return Path.of(new String(body, 1, body.length - 1, StandardCharsets.UTF_8));
        }

        void send(String hex) throws IOException {
            ByteBuffer buffer = ByteBuffer.wrap(HexFormat.of().parseHex(hex));
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        }

        String receive(int bytes) throws IOException {
            ByteBuffer buffer = ByteBuffer.allocate(bytes);
            while (buffer.hasRemaining()) {
                if (channel.read(buffer) < 0) {
                    throw new EOFException("after " + buffer.position() + " of " + bytes + " bytes");
                }
            }
            return hex(buffer.array());
        }

        String refusal() throws IOException {
            ByteBuffer length =
                    ByteBuffer.wrap(HexFormat.of().parseHex(receive(4))).order(ByteOrder.LITTLE_ENDIAN);
            byte[] body = HexFormat.of().parseHex(receive(length.getInt()));
            assertThat(body[0]).isEqualTo((byte) 1);
            ByteArrayOutputStream text = new ByteArrayOutputStream();
            text.write(body, 1, body.length - 1);
            return text.toString(StandardCharsets.UTF_8);
        }

        void expectEnd() throws IOException {
            assertThat(channel.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
