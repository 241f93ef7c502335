package dev.coppice.bench;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** COPY of a file into a new table over a Unix socket, with the checkpoint that makes it durable. */
final class CopyIn implements Measurement {
    private static final int ROWS_PER_MEGABYTE = 5_000;

    @Override
    public void run(Stage stage) {
        Path file = stage.work().resolve("copy.tsv");
        write(file, stage.arguments().number("--megabytes"));
        CoppiceServer coppice = stage.coppice();
        CoppiceServer.Branch branch =
                coppice.createBranch("copy", coppice.awakeMain().id());
        coppice.connectToFirstRowMillis(branch);
        Samples plain = new Samples();
        Samples ours = new Samples();
        for (int round = 0; round < stage.arguments().number("--rounds"); round++) {
            plain.add(copyMillis(stage.vanilla().socketConnectionString(), "", file));
            ours.add(copyMillis(coppice.directConnectionString(branch), branch.password(), file));
        }
        stage.report()
                .compare(
                        "COPY in and checkpoint, " + stage.arguments().text("--megabytes") + " MB",
                        "MB/s",
                        size(file) / 1e3 / plain.median(),
                        size(file) / 1e3 / ours.median(),
                        "-");
        coppice.delete(branch);
        delete(file);
    }

    private static double copyMillis(String connectionString, String password, Path file) {
        psql(
                connectionString,
                password,
                "drop table if exists copied; create table copied (id bigint, a text, b float)");
        psql(connectionString, password, "checkpoint");
        long start = System.nanoTime();
        psql(connectionString, password, "\\copy copied from '" + file + "'");
        psql(connectionString, password, "checkpoint");
        return (System.nanoTime() - start) / 1e6;
    }

    private static void psql(String connectionString, String password, String command) {
        Command.run(
                Map.of("PGPASSWORD", password),
                List.of("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", connectionString, "-c", command));
    }

    private static void write(Path file, int megabytes) {
        String filler = "the quick brown fox jumps over the lazy dog 0123456789 ".repeat(3);
        try (BufferedWriter out = Files.newBufferedWriter(file)) {
            for (long row = 0; row < (long) megabytes * ROWS_PER_MEGABYTE; row++) {
                out.write(row + "\t" + filler + Long.toHexString(row * 0x9E3779B97F4A7C15L) + "\t" + row / 7.0 + "\n");
            }
        } catch (IOException e) {
            throw new IllegalStateException("cannot write " + file, e);
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void delete(Path file) {
        try {
            Files.delete(file);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
