package dev.coppice.bench;

/** From a connection attempt to the first row, of a compute that sleeps; vanilla from the start of the server. */
final class Wakes implements Measurement {
    @Override
    public void run(Stage stage) {
        CoppiceServer coppice = stage.coppice();
        CoppiceServer.Branch main = coppice.awakeMain();
        Samples bare = new Samples();
        Samples warm = new Samples();
        Samples fresh = new Samples();
        for (int i = 0; i < stage.arguments().number("--wakes"); i++) {
            bare.add(stage.vanilla().startToFirstRowMillis());
            coppice.suspend(main);
            CoppiceServer.Branch child = coppice.createBranch("wake-" + i, main.id());
            fresh.add(coppice.connectToFirstRowMillis(child));
            coppice.delete(child);
            warm.add(coppice.connectToFirstRowMillis(main));
        }
        Report report = stage.report();
        report.compare(
                "connect to a suspended branch, first row, p50 (vanilla: start to first row)",
                "ms",
                bare.median(),
                warm.median(),
                "<= 1.5, <= 100 ms");
        report.compare("the same, p90", "ms", bare.percentile(90), warm.percentile(90), "-");
        report.compare("first wake of a new branch, first row, p50", "ms", bare.median(), fresh.median(), "-");
    }
}
