package dev.coppice.bench;

/** pgbench, in turns: Unix socket against Unix socket past the proxy, TCP without TLS against TCP without TLS through it. */
final class Throughput implements Measurement {
    private static final int CLIENTS = 4;

    @Override
    public void run(Stage stage) {
        CoppiceServer.Branch branch = stage.coppice().awakeMain();
        Pgbench plain = new Pgbench(stage.vanilla().socketConnectionString(), "");
        Pgbench plainTcp = new Pgbench(stage.vanilla().tcpConnectionString(), "");
        Pgbench direct = new Pgbench(stage.coppice().directConnectionString(branch), branch.password());
        Pgbench proxied = new Pgbench(branch.uri() + "&sslmode=disable", branch.password());
        plain.initialize(stage.arguments().number("--scale"));
        direct.initialize(stage.arguments().number("--scale"));
        int seconds = stage.arguments().number("--seconds");
        for (boolean selectOnly : new boolean[] {false, true}) {
            Samples vanillaRate = new Samples();
            Samples vanillaTcpRate = new Samples();
            Samples directRate = new Samples();
            Samples proxiedRate = new Samples();
            for (int round = 0; round < stage.arguments().number("--rounds"); round++) {
                vanillaRate.add(plain.run(selectOnly, CLIENTS, seconds));
                directRate.add(direct.run(selectOnly, CLIENTS, seconds));
                vanillaTcpRate.add(plainTcp.run(selectOnly, CLIENTS, seconds));
                proxiedRate.add(proxied.run(selectOnly, CLIENTS, seconds));
            }
            String name = "pgbench " + (selectOnly ? "-S -M prepared" : "TPC-B") + ", " + CLIENTS + " clients, ";
            stage.report().compare(name + "Unix socket", "tps", vanillaRate.median(), directRate.median(), ">= 1.0");
            stage.report()
                    .compare(
                            name + "TCP; Coppice through the proxy",
                            "tps",
                            vanillaTcpRate.median(),
                            proxiedRate.median(),
                            "-");
        }
    }
}
