package dev.coppice.bench;

import java.sql.Connection;

/** WAL, bytes on disk and bytes written to the disk for the same long run of updates, history included. */
final class WriteAmplification implements Measurement {
    private static final int CLIENTS = 4;
    private static final double MEGA = 1e6;

    private record Cost(double wal, double kept, double cache, double written) {}

    @Override
    public void run(Stage stage) {
        CoppiceServer coppice = stage.coppice();
        CoppiceServer.Branch branch =
                coppice.createBranch("writes", coppice.awakeMain().id());
        Connection ours = coppice.connect(branch);
        Connection plain = stage.vanilla().connect();
        Cost ofVanilla = run(
                stage,
                plain,
                new Pgbench(stage.vanilla().socketConnectionString(), ""),
                stage.vanilla().data());
        Cost ofCoppice = run(
                stage,
                ours,
                new Pgbench(coppice.directConnectionString(branch), branch.password()),
                coppice.timelines());
        String what = " of " + stage.arguments().text("--transactions") + " TPC-B transactions";
        Report report = stage.report();
        report.compare("WAL" + what, "MB", ofVanilla.wal(), ofCoppice.wal(), "-");
        report.compare(
                "growth on disk, with all history, without the compute's cache" + what,
                "MB",
                ofVanilla.kept(),
                ofCoppice.kept(),
                "-");
        report.alone("the compute's cache after them", "MB", ofCoppice.cache(), "-");
        report.compare(
                "bytes the disk wrote (all of the machine)" + what,
                "MB",
                ofVanilla.written(),
                ofCoppice.written(),
                "-");
        Rows.close(ours);
        Rows.close(plain);
        coppice.delete(branch);
    }

    private static Cost run(Stage stage, Connection connection, Pgbench load, java.nio.file.Path directory) {
        load.initialize(stage.arguments().number("--scale"));
        Rows.execute(connection, "checkpoint");
        Disk.sync();
        String start = Rows.text(connection, "select pg_current_wal_insert_lsn()");
        long kept = Disk.allocated(directory, "local");
        long written = Disk.written(directory);
        load.transactions(CLIENTS, stage.arguments().number("--transactions"));
        double wal = Double.parseDouble(
                Rows.text(connection, "select pg_current_wal_insert_lsn() - '" + start + "'::pg_lsn"));
        Rows.execute(connection, "checkpoint");
        Disk.sync();
        long after = Disk.allocated(directory, "local");
        return new Cost(
                wal / MEGA,
                (after - kept) / MEGA,
                (Disk.allocated(directory, "") - after) / MEGA,
                (Disk.written(directory) - written) / MEGA);
    }
}
