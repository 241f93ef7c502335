package dev.coppice.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * An anonymized branch of a table with five masked columns, against what others do: a branch whose rows are rewritten by UPDATE,
 * with VACUUM FULL so that no original stays.
 */
final class AnonymizedBranches implements Measurement {
    private static final String TABLE = "people";
    private static final String SCAN = "select count(*), sum(length(email)), sum(length(note)) from " + TABLE;
    private static final int PAGE = 8192;

    private static final List<List<String>> RULES = List.of(
            List.of("email", "pseudonym_email()"),
            List.of("first_name", "dummy_first_name()"),
            List.of("phone", "pseudonym()"),
            List.of("birth", "noise('90 days')"),
            List.of("note", "hash()"));

    @Override
    public void run(Stage stage) {
        CoppiceServer coppice = stage.coppice();
        int rows = stage.arguments().number("--rows");
        CoppiceServer.Branch parent =
                coppice.createBranch("unmasked", coppice.awakeMain().id());
        Connection loading = coppice.connect(parent);
        Rows.execute(
                loading,
                "create table " + TABLE + " (id int primary key, email text, first_name text, phone text, birth date,"
                        + " note text, amount numeric)");
        Rows.execute(
                loading,
                "insert into " + TABLE
                        + " select n, 'person' || n || '@example' || n % 97 || '.com', 'Name' || n % 5000,"
                        + " '+49 30 ' || 1000000 + n, date '1960-01-01' + n % 18000, md5(n::text), n * 1.5"
                        + " from generate_series(1, " + rows + ") n");
        Rows.execute(loading, "vacuum (analyze, freeze) " + TABLE);
        Rows.execute(loading, "checkpoint");
        double pages = Long.parseLong(Rows.text(loading, "select pg_relation_size('" + TABLE + "')")) / (double) PAGE;
        String database = Rows.text(loading, "select current_database()");
        Rows.close(loading);

        Set<Path> before = timelines(coppice);
        long start = System.nanoTime();
        CoppiceServer.Branch masked = coppice.createAnonymized("anonymized", parent.id(), database, TABLE, RULES);
        coppice.connectToFirstRowMillis(masked);
        double ready = (System.nanoTime() - start) / 1e6;
        double maskedBytes = megabytesSince(before, coppice);
        Connection masking = coppice.connect(masked);
        double scan = Rows.millis(masking, SCAN);
        Rows.close(masking);

        before = timelines(coppice);
        start = System.nanoTime();
        CoppiceServer.Branch updated = coppice.createBranch("updated", parent.id());
        Connection updating = coppice.connect(updated);
        Rows.execute(
                updating,
                "update " + TABLE + " set email = md5(email) || '@example.com', first_name = left(md5(first_name), 8),"
                        + " phone = left(md5(phone), 14), birth = birth + (id % 180 - 90), note = md5(note)");
        Rows.execute(updating, "vacuum full " + TABLE);
        Rows.execute(updating, "checkpoint");
        double update = (System.nanoTime() - start) / 1e6;
        Rows.close(updating);
        double updatedBytes = megabytesSince(before, coppice);

        CoppiceServer.Branch plain = coppice.createBranch("plain", parent.id());
        Connection reading = coppice.connect(plain);
        double plainScan = Rows.millis(reading, SCAN);
        Rows.close(reading);

        String what = String.format(java.util.Locale.ROOT, "%,d rows, five masked columns", rows);
        stage.report()
                .compareOwn(
                        what + ": by UPDATE / anonymized branch, until the first row", "ms", update, ready, "<= 0.02");
        stage.report()
                .compareOwn(
                        what + ": storage, WAL and hidden timelines included",
                        "MB",
                        updatedBytes,
                        maskedBytes,
                        "<= 0.02");
        stage.report()
                .compareOwn(
                        "first scan of a branch / of an anonymized one",
                        "MB/s",
                        pages * PAGE / 1e3 / plainScan,
                        pages * PAGE / 1e3 / scan,
                        "-");
        stage.report().alone("pages masked by one scan", "pages/s", pages / scan * 1e3, "-");
        List.of(masked, updated, plain, parent).forEach(coppice::delete);
    }

    private static Set<Path> timelines(CoppiceServer coppice) {
        try (Stream<Path> directories = Files.list(coppice.timelines())) {
            return directories.collect(Collectors.toSet());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list the timelines", e);
        }
    }

    /** What the timelines that were not there before have on the disk, hidden ones included; local files are caches. */
    private static double megabytesSince(Set<Path> before, CoppiceServer coppice) {
        return timelines(coppice).stream()
                        .filter(timeline -> !before.contains(timeline))
                        .mapToDouble(timeline -> Disk.allocated(timeline, "local"))
                        .sum()
                / 1e6;
    }
}
