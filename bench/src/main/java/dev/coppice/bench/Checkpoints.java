package dev.coppice.bench;

import java.sql.Connection;

/** A checkpoint after the same number of TPC-B transactions on both. */
final class Checkpoints implements Measurement {
    private static final int CLIENTS = 4;
    private static final int TRANSACTIONS = 10_000;

    @Override
    public void run(Stage stage) {
        CoppiceServer coppice = stage.coppice();
        CoppiceServer.Branch branch =
                coppice.createBranch("checkpoints", coppice.awakeMain().id());
        Connection ours = coppice.connect(branch);
        Connection plain = stage.vanilla().connect();
        Pgbench plainLoad = new Pgbench(stage.vanilla().socketConnectionString(), "");
        Pgbench ourLoad = new Pgbench(coppice.directConnectionString(branch), branch.password());
        plainLoad.initialize(stage.arguments().number("--scale"));
        ourLoad.initialize(stage.arguments().number("--scale"));
        Samples plainMillis = new Samples();
        Samples ourMillis = new Samples();
        for (int round = 0; round < stage.arguments().number("--rounds"); round++) {
            plainMillis.add(checkpointMillis(plain, plainLoad));
            ourMillis.add(checkpointMillis(ours, ourLoad));
        }
        stage.report()
                .compare(
                        "CHECKPOINT after " + TRANSACTIONS + " TPC-B transactions",
                        "ms",
                        plainMillis.median(),
                        ourMillis.median(),
                        "-");
        Rows.close(ours);
        Rows.close(plain);
        coppice.delete(branch);
    }

    private static double checkpointMillis(Connection connection, Pgbench load) {
        Rows.execute(connection, "checkpoint");
        load.transactions(CLIENTS, TRANSACTIONS);
        return Rows.millis(connection, "checkpoint");
    }
}
