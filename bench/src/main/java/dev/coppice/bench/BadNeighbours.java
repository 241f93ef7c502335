package dev.coppice.bench;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.Map;

/** Wakes and queries of other branches while programs in one branch take all that they get. Needs a server that is root. */
final class BadNeighbours implements Measurement {
    private static final int QUERIES = 500;

    /** Until it has what it wants. */
    private static final long BEGINNING_MILLIS = 2000;

    @Override
    public void run(Stage stage) {
        CoppiceServer coppice = stage.coppice();
        CoppiceServer.Branch main = coppice.awakeMain();
        CoppiceServer.Branch other = coppice.createBranch("other", main.id());
        Map<String, String> programs = new LinkedHashMap<>();
        programs.put("a fork bomb", "bash -c 'bomb() { bomb | bomb & }; bomb; sleep 60'");
        programs.put("busy loops", "bash -c 'for i in 1 2 3 4 5 6 7 8; do while :; do :; done & done; sleep 60'");
        programs.put("a memory hog", "bash -c 'while :; do head -c 8G /dev/zero | tail >/dev/null; done'");
        programs.put("a disk filler", "bash -c 'while :; do head -c 64G /dev/zero >filler; rm -f filler; done'");
        for (Map.Entry<String, String> program : programs.entrySet()) {
            Samples[] alone = measure(stage, main, other);
            CoppiceServer.Branch bad = coppice.createBranch("bad", main.id());
            coppice.connectToFirstRowMillis(bad);
            Thread running = Thread.ofVirtual().start(() -> run(coppice, bad, program.getValue()));
            pause();
            Samples[] beside = measure(stage, main, other);
            coppice.delete(bad);
            join(running);
            stage.report()
                    .compareOwn(
                            "connect to a suspended branch, first row, p50, alone / beside " + program.getKey(),
                            "ms",
                            alone[0].median(),
                            beside[0].median(),
                            "<= 2");
            stage.report()
                    .compareOwn(
                            "query on another branch, p99, alone / beside " + program.getKey(),
                            "ms",
                            alone[1].percentile(99),
                            beside[1].percentile(99),
                            "<= 2");
        }
        coppice.delete(other);
    }

    /** Wakes of the first branch, queries on the second. */
    private static Samples[] measure(Stage stage, CoppiceServer.Branch woken, CoppiceServer.Branch queried) {
        CoppiceServer coppice = stage.coppice();
        Samples wakes = new Samples();
        Samples queries = new Samples();
        for (int i = 0; i < stage.arguments().number("--wakes"); i++) {
            coppice.suspend(woken);
            wakes.add(coppice.connectToFirstRowMillis(woken));
        }
        try (Connection connection = coppice.connect(queried);
                Statement statement = connection.createStatement()) {
            for (int i = 0; i < QUERIES; i++) {
                long start = System.nanoTime();
                try (ResultSet rows = statement.executeQuery("SELECT count(*) FROM pg_class")) {
                    rows.next();
                }
                queries.add((System.nanoTime() - start) / 1e6);
            }
        } catch (SQLException e) {
            throw new IllegalStateException("the other branch does not answer", e);
        }
        return new Samples[] {wakes, queries};
    }

    /** Ends with the compute, or when the server ends it. */
    private static void run(CoppiceServer coppice, CoppiceServer.Branch branch, String program) {
        try (Connection connection = coppice.connect(branch);
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TEMP TABLE said (line text)");
            statement.execute("COPY said FROM PROGRAM '" + program.replace("'", "''") + "'");
        } catch (SQLException | IllegalStateException e) {
            System.err.println("the bad neighbour ended: " + e.getMessage());
        }
    }

    private static void pause() {
        try {
            Thread.sleep(BEGINNING_MILLIS);
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
