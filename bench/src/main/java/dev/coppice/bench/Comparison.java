package dev.coppice.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The figures of the README, each a ratio against vanilla Postgres from the same run: {@code bench/run}.
 *
 * <p>Arguments: {@code --home <clone>}, {@code --work <empty directory>}, {@code --seconds <per pgbench run>}, {@code --rounds
 * <pgbench rounds, alternating>}, {@code --wakes <samples>}, {@code --small-scale} and {@code --large-scale} (pgbench scale; 1
 * is about 15 MB).
 */
public final class Comparison {
    private static final int CLIENTS = 4;

    private final Arguments arguments;
    private final CoppiceServer coppice;
    private final Vanilla vanilla;

    private Comparison(Arguments arguments, CoppiceServer coppice, Vanilla vanilla) {
        this.arguments = arguments;
        this.coppice = coppice;
        this.vanilla = vanilla;
    }

    /** The command line. */
    record Arguments(Map<String, String> values) {
        static Arguments parse(String[] arguments) {
            Map<String, String> values = new java.util.HashMap<>(Map.of(
                    "--home",
                    ".",
                    "--seconds",
                    "10",
                    "--rounds",
                    "3",
                    "--wakes",
                    "15",
                    "--small-scale",
                    "7",
                    "--large-scale",
                    "70"));
            for (int i = 0; i + 1 < arguments.length; i += 2) {
                values.put(arguments[i], arguments[i + 1]);
            }
            if (!values.containsKey("--work")) {
                throw new IllegalArgumentException("--work <empty directory> is missing");
            }
            return new Arguments(values);
        }

        int number(String name) {
            return Integer.parseInt(text(name));
        }

        String text(String name) {
            String value = values.get(name);
            if (value == null) {
                throw new IllegalArgumentException("missing " + name);
            }
            return value;
        }
    }

    /** Runs everything and prints one Markdown table. */
    public static void main(String[] args) throws IOException {
        Arguments arguments = Arguments.parse(args);
        Path work = Path.of(arguments.text("--work")).toAbsolutePath();
        Files.createDirectories(work);
        Path configuration = Files.writeString(
                work.resolve("coppice.yaml"),
                "proxy:\n  listen: 127.0.0.1:5533\napi:\n  listen: 127.0.0.1:5580\n"
                        + "compute:\n  suspend_timeout_seconds: -1\n");
        try (CoppiceServer coppice = new CoppiceServer(
                Path.of(arguments.text("--home")).toAbsolutePath(), work.resolve("data"), configuration)) {
            List<String> runAs = runAs();
            Path directory = Files.createDirectory(work.resolve("vanilla"));
            if (!runAs.isEmpty()) {
                Command.run(Map.of(), List.of("chown", computeUser(), directory.toString()));
            }
            try (Vanilla vanilla = new Vanilla(coppice.binaries(), directory, runAs)) {
                System.out.println("| what | vanilla | Coppice | ratio |");
                System.out.println("|---|---|---|---|");
                new Comparison(arguments, coppice, vanilla).measure();
            }
        } finally {
            deleteTree(work);
        }
    }

    private static String computeUser() {
        return "coppice";
    }

    private static List<String> runAs() {
        return System.getProperty("user.name", "").equals("root")
                ? List.of("setpriv", "--reuid=" + computeUser(), "--regid=" + computeUser(), "--clear-groups")
                : List.of();
    }

    private void measure() {
        CoppiceServer.Branch main = coppice.branch("main");
        coppice.connectToFirstRowMillis(main);
        throughput(main);
        wakes(main);
        branchCreation(main);
    }

    private void throughput(CoppiceServer.Branch main) {
        // Like with like: Unix socket against Unix socket, TCP without TLS against TCP without TLS.
        Pgbench plain = new Pgbench(vanilla.socketConnectionString(), "");
        Pgbench plainTcp = new Pgbench(vanilla.tcpConnectionString(), "");
        Pgbench direct = new Pgbench(coppice.directConnectionString(main), main.password());
        Pgbench proxied = new Pgbench(main.uri() + "&sslmode=disable", main.password());
        int scale = arguments.number("--small-scale");
        plain.initialize(scale);
        direct.initialize(scale);
        for (boolean selectOnly : new boolean[] {false, true}) {
            Samples vanillaRate = new Samples();
            Samples vanillaTcpRate = new Samples();
            Samples directRate = new Samples();
            Samples proxiedRate = new Samples();
            for (int round = 0; round < arguments.number("--rounds"); round++) {
                vanillaRate.add(plain.run(selectOnly, CLIENTS, arguments.number("--seconds")));
                directRate.add(direct.run(selectOnly, CLIENTS, arguments.number("--seconds")));
                vanillaTcpRate.add(plainTcp.run(selectOnly, CLIENTS, arguments.number("--seconds")));
                proxiedRate.add(proxied.run(selectOnly, CLIENTS, arguments.number("--seconds")));
            }
            String name = "pgbench " + (selectOnly ? "-S -M prepared" : "TPC-B") + ", " + CLIENTS + " clients, ";
            row(name + "Unix socket", "tps", vanillaRate.median(), directRate.median());
            row(name + "TCP; Coppice through the proxy", "tps", vanillaTcpRate.median(), proxiedRate.median());
        }
    }

    private void wakes(CoppiceServer.Branch main) {
        Samples bare = new Samples();
        Samples warm = new Samples();
        Samples fresh = new Samples();
        for (int i = 0; i < arguments.number("--wakes"); i++) {
            bare.add(vanilla.startToFirstRowMillis());
            coppice.suspend(main);
            CoppiceServer.Branch child = coppice.createBranch("wake-" + i, main.id());
            fresh.add(coppice.connectToFirstRowMillis(child));
            coppice.suspend(child);
            warm.add(coppice.connectToFirstRowMillis(main));
        }
        row(
                "connect to a suspended branch, first row, p50 (vanilla: start to first row)",
                "ms",
                bare.median(),
                warm.median());
        row("first wake of a new branch, first row, p50", "ms", bare.median(), fresh.median());
        row("connect to a suspended branch, first row, p90", "ms", bare.percentile(90), warm.percentile(90));
    }

    private void branchCreation(CoppiceServer.Branch main) {
        int small = arguments.number("--small-scale");
        int large = arguments.number("--large-scale");
        double smallMillis = createMillis(main, "small-");
        new Pgbench(coppice.directConnectionString(main), main.password()).initialize(large);
        double largeMillis = createMillis(main, "large-");
        System.out.printf(
                Locale.ROOT,
                "| branch create (API), parent of pgbench scale %d / %d, p50 | - | %.1f ms / %.1f ms | %.2f |%n",
                small,
                large,
                smallMillis,
                largeMillis,
                largeMillis / smallMillis);
    }

    private double createMillis(CoppiceServer.Branch main, String prefix) {
        Samples create = new Samples();
        for (int i = 0; i < arguments.number("--wakes"); i++) {
            long start = System.nanoTime();
            coppice.createBranchOnly(prefix + i, main.id());
            create.add((System.nanoTime() - start) / 1e6);
        }
        return create.median();
    }

    private static void row(String what, String unit, double vanilla, double coppice) {
        System.out.printf(
                Locale.ROOT,
                "| %s | %.0f %s | %.0f %s | %.2f |%n",
                what,
                vanilla,
                unit,
                coppice,
                unit,
                coppice / vanilla);
    }

    private static void deleteTree(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
