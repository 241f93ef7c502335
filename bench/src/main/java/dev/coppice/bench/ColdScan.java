package dev.coppice.bench;

import java.sql.Connection;

/** A sequential scan right after the first connection, with nothing in the operating system's cache. */
final class ColdScan implements Measurement {
    private static final String SCAN = "select count(*), sum(length(filler)) from cold";

    @Override
    public void run(Stage stage) {
        CoppiceServer coppice = stage.coppice();
        int megabytes = stage.arguments().number("--megabytes");
        CoppiceServer.Branch parent =
                coppice.createBranch("cold", coppice.awakeMain().id());
        Connection loading = coppice.connect(parent);
        Rows.makeTable(loading, "cold", megabytes);
        Rows.close(loading);
        Connection plain = stage.vanilla().connect();
        Rows.makeTable(plain, "cold", megabytes);
        Rows.close(plain);
        coppice.suspend(parent);

        boolean cold = true;
        Samples plainRate = new Samples();
        Samples ourRate = new Samples();
        Samples againRate = new Samples();
        for (int round = 0; round < stage.arguments().number("--rounds"); round++) {
            stage.vanilla().startToFirstRowMillis();
            Connection fresh = stage.vanilla().connect();
            cold &= Disk.dropCaches();
            plainRate.add(megabytes / Rows.millis(fresh, SCAN) * 1e3);
            Rows.close(fresh);

            CoppiceServer.Branch child = coppice.createBranch("scan-" + round, parent.id());
            Connection branch = coppice.connect(child);
            cold &= Disk.dropCaches();
            ourRate.add(megabytes / Rows.millis(branch, SCAN) * 1e3);
            againRate.add(megabytes / Rows.millis(branch, SCAN) * 1e3);
            Rows.close(branch);
            coppice.delete(child);
        }
        String what = "seq scan of a cold branch, " + megabytes + " MB"
                + (cold ? "" : ", but with the system's cache, which only root may drop");
        stage.report().compare(what, "MB/s", plainRate.median(), ourRate.median(), ">= 0.8");
        stage.report()
                .compareOwn("the same again on the same branch", "MB/s", ourRate.median(), againRate.median(), "-");
        Connection cleanup = stage.vanilla().connect();
        Rows.execute(cleanup, "drop table cold");
        Rows.close(cleanup);
        coppice.delete(parent);
    }
}
