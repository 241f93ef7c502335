package dev.coppice.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the sandbox of the kernel costs: two servers of the same build, one with {@code compute.isolation: off}, in turns. */
final class SandboxCost implements Measurement {
    private static final int CLIENTS = 4;

    @Override
    public void run(Stage stage) {
        Path directory = stage.work().resolve("unconfined");
        try {
            Files.createDirectory(directory);
            Path configuration = Files.writeString(
                    directory.resolve("coppice.yaml"),
                    "proxy:\n  listen: 127.0.0.1:5534\napi:\n  listen: 127.0.0.1:5581\n"
                            + "compute:\n  suspend_timeout_seconds: -1\n  isolation: off\n");
            Path home = Path.of(stage.arguments().text("--home")).toAbsolutePath();
            try (CoppiceServer unconfined = new CoppiceServer(home, directory.resolve("data"), configuration)) {
                wakes(stage, unconfined);
                throughput(stage, unconfined);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void wakes(Stage stage, CoppiceServer unconfined) {
        CoppiceServer confined = stage.coppice();
        CoppiceServer.Branch with = confined.awakeMain();
        CoppiceServer.Branch without = unconfined.awakeMain();
        Samples withRate = new Samples();
        Samples withoutRate = new Samples();
        for (int i = 0; i < stage.arguments().number("--wakes"); i++) {
            unconfined.suspend(without);
            withoutRate.add(unconfined.connectToFirstRowMillis(without));
            confined.suspend(with);
            withRate.add(confined.connectToFirstRowMillis(with));
        }
        stage.report()
                .compareOwn(
                        "connect to a suspended branch, first row, p50, without / with the sandbox",
                        "ms",
                        withoutRate.median(),
                        withRate.median(),
                        "3 ms more at most");
    }

    private static void throughput(Stage stage, CoppiceServer unconfined) {
        Pgbench with = pgbench(stage, stage.coppice());
        Pgbench without = pgbench(stage, unconfined);
        int seconds = stage.arguments().number("--seconds");
        for (boolean selectOnly : new boolean[] {false, true}) {
            Samples withRate = new Samples();
            Samples withoutRate = new Samples();
            for (int round = 0; round < stage.arguments().number("--rounds"); round++) {
                withoutRate.add(without.run(selectOnly, CLIENTS, seconds));
                withRate.add(with.run(selectOnly, CLIENTS, seconds));
            }
            stage.report()
                    .compareOwn(
                            "pgbench " + (selectOnly ? "-S -M prepared" : "TPC-B") + ", " + CLIENTS
                                    + " clients, Unix socket, without / with the sandbox",
                            "tps",
                            withoutRate.median(),
                            withRate.median(),
                            ">= 0.99");
        }
    }

    private static Pgbench pgbench(Stage stage, CoppiceServer server) {
        CoppiceServer.Branch main = server.awakeMain();
        Pgbench pgbench = new Pgbench(server.directConnectionString(main), main.password());
        pgbench.initialize(stage.arguments().number("--scale"));
        return pgbench;
    }
}
