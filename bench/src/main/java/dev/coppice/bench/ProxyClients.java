package dev.coppice.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;

/**
 * Many clients of a running proxy: what an idle one costs its process, and what the busy ones get beside them. {@code
 * bench/proxy-clients} says how to call it.
 */
final class ProxyClients {
    private static final int CONNECTING_AT_ONCE = 64;
    private static final String QUERY = "select 1";
    private static final double NANOS_PER_MILLI = 1e6;
    private static final int WARM_UP_SECONDS = 8;

    private final long processId;
    private final ConnectionString to;

    private ProxyClients(long processId, ConnectionString to) {
        this.processId = processId;
        this.to = to;
    }

    /** Arguments: process id of the server, connection string, relayed or pooled, clients (idle, busy, of HTTPS), seconds. */
    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 7) {
            throw new IllegalArgumentException("called by bench/proxy-clients, with 7 arguments");
        }
        ConnectionString to = ConnectionString.parse(arguments[1]);
        ProxyClients clients =
                new ProxyClients(Long.parseLong(arguments[0]), arguments[2].equals("pooled") ? to.pooled() : to);
        clients.run(
                arguments[2],
                Integer.parseInt(arguments[3]),
                Integer.parseInt(arguments[4]),
                Integer.parseInt(arguments[5]),
                Integer.parseInt(arguments[6]));
    }

    private record Memory(long heapBytes, long residentBytes) {}

    private void run(String mode, int idle, int busy, int https, int seconds) throws Exception {
        try (HttpsSql http = new HttpsSql(to)) {
            warmUp(http, busy, https);
            Busy alone = busy(busy, seconds);
            Memory before = memory();
            List<WireClient> quiet = open(idle);
            Memory after = memory();
            Busy beside = busy(busy, seconds);
            List<Busy> together = busy(http, busy, https, seconds);
            System.out.printf(
                    Locale.ROOT,
                    "| %s | %d idle | heap %.1f kB, resident %.1f kB each |%n",
                    mode,
                    idle,
                    (after.heapBytes - before.heapBytes) / 1e3 / idle,
                    (after.residentBytes - before.residentBytes) / 1e3 / idle);
            System.out.printf("| %s | %d busy, no idle | %s |%n", mode, busy, alone);
            System.out.printf("| %s | %d busy, %d idle | %s |%n", mode, busy, idle, beside);
            System.out.printf(
                    "| %s | %d busy, beside %d of HTTPS and %d idle | %s |%n",
                    mode, busy, https, idle, together.getFirst());
            System.out.printf(
                    "| %s | %d of HTTPS, beside %d busy and %d idle | %s |%n",
                    mode, https, busy, idle, together.getLast());
            for (WireClient each : quiet) {
                each.query(QUERY);
            }
            close(quiet);
            System.out.printf("| %s | %d idle | all answered a query at the end |%n", mode, idle);
        }
    }

    /** So that neither buffers nor compiled code of the first sessions are counted as those of idle ones. */
    private void warmUp(HttpsSql http, int busy, int https) throws Exception {
        busy(http, busy, https, WARM_UP_SECONDS);
    }

    private List<WireClient> open(int count) throws Exception {
        Semaphore connecting = new Semaphore(CONNECTING_AT_ONCE);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<WireClient>> opening = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                opening.add(threads.submit(() -> {
                    connecting.acquire();
                    try {
                        return new WireClient(to);
                    } finally {
                        connecting.release();
                    }
                }));
            }
            List<WireClient> open = new ArrayList<>();
            for (Future<WireClient> each : opening) {
                open.add(each.get());
            }
            return Collections.unmodifiableList(open);
        }
    }

    private record Busy(double perSecond, double p50Millis, double p99Millis) {
        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT, "%.0f queries/s, p50 %.2f ms, p99 %.2f ms", perSecond, p50Millis, p99Millis);
        }
    }

    /** What a busy client does again and again. */
    private interface Query {
        void run() throws Exception;
    }

    private Busy busy(int count, int seconds) throws Exception {
        List<WireClient> clients = open(count);
        try {
            return load(queries(clients), seconds);
        } finally {
            close(clients);
        }
    }

    /** Clients of the wire protocol and of HTTPS at the same time: the figures of each, in this order. */
    private List<Busy> busy(HttpsSql http, int busy, int https, int seconds) throws Exception {
        List<WireClient> clients = open(busy);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Query> requests = Collections.nCopies(https, () -> http.query(QUERY));
            Future<Busy> requesting = threads.submit(() -> load(requests, seconds));
            Busy wire = load(queries(clients), seconds);
            return List.of(wire, requesting.get());
        } finally {
            close(clients);
        }
    }

    private static List<Query> queries(List<WireClient> clients) {
        return clients.stream().<Query>map(client -> () -> client.query(QUERY)).toList();
    }

    private static void close(List<WireClient> clients) throws IOException {
        for (WireClient each : clients) {
            each.close();
        }
    }

    private static Busy load(List<Query> clients, int seconds) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<long[]>> working = clients.stream()
                    .map(client -> threads.submit(() -> work(client, end)))
                    .toList();
            List<long[]> all = new ArrayList<>();
            for (Future<long[]> each : working) {
                all.add(each.get());
            }
            long[] latencies =
                    all.stream().flatMapToLong(LongStream::of).sorted().toArray();
            return latencies.length == 0
                    ? new Busy(0, 0, 0)
                    : new Busy(
                            (double) latencies.length / seconds,
                            latencies[latencies.length / 2] / NANOS_PER_MILLI,
                            latencies[(int) (latencies.length * 0.99)] / NANOS_PER_MILLI);
        }
    }

    private static long[] work(Query query, long end) throws Exception {
        long[] latencies = new long[1024];
        int count = 0;
        for (long now = System.nanoTime(); now < end; ) {
            query.run();
            long then = System.nanoTime();
            if (count == latencies.length) {
                latencies = Arrays.copyOf(latencies, 2 * count);
            }
            latencies[count++] = then - now;
            now = then;
        }
        return Arrays.copyOf(latencies, count);
    }

    /** Of the server, after a full collection. */
    private Memory memory() throws IOException, InterruptedException {
        jcmd("GC.run");
        jcmd("GC.run");
        long used = 0;
        // Generations of a serial or parallel collector each have a line ("total 65536K, used 20480K"), G1 has one.
        Matcher generations =
                Pattern.compile("(?:total|committed) \\d+K, used (\\d+)K").matcher(jcmd("GC.heap_info"));
        while (generations.find()) {
            used += Long.parseLong(generations.group(1)) << 10;
        }
        for (String line : Files.readAllLines(Path.of("/proc", Long.toString(processId), "status"))) {
            if (line.startsWith("VmRSS:")) {
                return new Memory(used, Long.parseLong(line.replaceAll("\\D", "")) << 10);
            }
        }
        throw new IOException("process " + processId + " has no resident memory");
    }

    private String jcmd(String command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                        Long.toString(processId),
                        command)
                .redirectErrorStream(true)
                .start();
        String text = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException("jcmd: " + text);
        }
        return text;
    }
}
