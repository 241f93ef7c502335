package dev.coppice.bench;

import java.sql.Connection;

/** The API call that makes a branch, of a small and of a large parent. */
final class BranchCreation implements Measurement {
    private static final int SMALL_MEGABYTES = 100;

    /** Creations before the first that counts: a server that has just started compiles its code in them. */
    private static final int WARM_UP = 30;

    @Override
    public void run(Stage stage) {
        int large = stage.arguments().number("--large-megabytes");
        for (int i = 0; i < WARM_UP; i++) {
            stage.coppice()
                    .createMillis("warm-up-" + i, stage.coppice().awakeMain().id());
        }
        double small = createMillis(stage, SMALL_MEGABYTES);
        stage.report()
                .compareOwn(
                        "branch create (API call), p50, parent of " + SMALL_MEGABYTES + " MB / " + large + " MB",
                        "ms",
                        small,
                        createMillis(stage, large),
                        "<= 1.2, <= 20 ms");
    }

    private static double createMillis(Stage stage, int megabytes) {
        CoppiceServer coppice = stage.coppice();
        CoppiceServer.Branch parent =
                coppice.createBranch("parent-" + megabytes, coppice.awakeMain().id());
        Connection loading = coppice.connect(parent);
        Rows.makeTable(loading, "bulk", megabytes);
        Rows.close(loading);
        Samples create = new Samples();
        for (int i = 0; i < stage.arguments().number("--wakes"); i++) {
            create.add(coppice.createMillis("of-" + megabytes + "-" + i, parent.id()));
        }
        return create.median();
    }
}
