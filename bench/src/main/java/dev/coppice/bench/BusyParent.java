package dev.coppice.bench;

/** The first wake of a branch whose parent is under full pgbench load, against one whose parent is idle. */
final class BusyParent implements Measurement {
    private static final int CLIENTS = 4;

    @Override
    public void run(Stage stage) {
        CoppiceServer coppice = stage.coppice();
        CoppiceServer.Branch parent =
                coppice.createBranch("busy", coppice.awakeMain().id());
        coppice.connectToFirstRowMillis(parent);
        Pgbench load = new Pgbench(coppice.directConnectionString(parent), parent.password());
        load.initialize(stage.arguments().number("--scale"));
        int wakes = stage.arguments().number("--wakes");
        Samples idle = firstWakes(coppice, parent, wakes, "idle-");
        int seconds = Math.max(20, 2 * stage.arguments().number("--seconds"));
        Thread busy = Thread.ofPlatform().start(() -> load.run(false, CLIENTS, seconds));
        pause(seconds * 500L);
        Samples underLoad = firstWakes(coppice, parent, wakes, "loaded-");
        join(busy);
        stage.report()
                .compareOwn(
                        "first row on a new branch, p50, parent idle / under pgbench for " + seconds / 2
                                + " s and more",
                        "ms",
                        idle.median(),
                        underLoad.median(),
                        "<= 2");
        coppice.delete(parent);
    }

    private static Samples firstWakes(CoppiceServer coppice, CoppiceServer.Branch parent, int count, String prefix) {
        Samples samples = new Samples();
        for (int i = 0; i < count; i++) {
            CoppiceServer.Branch child = coppice.createBranch(prefix + i, parent.id());
            samples.add(coppice.connectToFirstRowMillis(child));
            coppice.delete(child);
        }
        return samples;
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
