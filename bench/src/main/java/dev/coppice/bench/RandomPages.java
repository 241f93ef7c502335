package dev.coppice.bench;

import dev.coppice.storage.PageService;
import dev.coppice.storage.Timeline;
import dev.coppice.storage.file.PageConsumer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.util.Random;
import java.util.function.LongConsumer;

/** GetPage@LSN of random blocks of a table from layers, without a compute, against pread of the same table's file. */
final class RandomPages implements Measurement {
    private static final int BLOCK = Timeline.BLOCK_SIZE;

    /** Postgres splits a relation into files of 1 GB, and the first is read. */
    private static final int MAX_MEGABYTES = 900;

    private static final PageConsumer NOWHERE = new PageConsumer() {
        @Override
        public void zero(long block) {
            throw new IllegalStateException("block " + block + " of the table is zero");
        }

        @Override
        public void page(long block, long stamp, ByteBuffer page) {}
    };

    @Override
    public void run(Stage stage) {
        CoppiceServer coppice = stage.coppice();
        int megabytes = Math.min(MAX_MEGABYTES, stage.arguments().number("--megabytes"));
        CoppiceServer.Branch branch =
                coppice.createBranch("pages", coppice.awakeMain().id());
        String path = load(coppice.connect(branch), megabytes);
        String plainPath = load(stage.vanilla().connect(), megabytes);
        coppice.suspend(branch);
        coppice.stop();
        Random random = new Random(1);
        try (PageService pages = PageService.open(coppice.timelines());
                FileChannel file =
                        FileChannel.open(stage.vanilla().data().resolve(plainPath), StandardOpenOption.READ)) {
            Timeline timeline = withFile(pages, path);
            timeline.flush();
            pages.compact(timeline.id());
            long blocks = Math.min(timeline.stat(path).size(), file.size()) / BLOCK;
            LongConsumer getPage = block -> timeline.readPages(path, block, 1, NOWHERE);
            LongConsumer pread = block -> pread(file, block);
            int samples = stage.arguments().number("--samples");
            boolean cold = Disk.dropCaches();
            report(
                    stage,
                    "nothing cached" + (cold ? "" : " by us"),
                    sample(pread, blocks, samples, random),
                    sample(getPage, blocks, samples, random));
            for (long block = 0; block < blocks; block++) {
                pread.accept(block);
                getPage.accept(block);
            }
            report(
                    stage,
                    "files in the system's cache",
                    sample(pread, blocks, samples, random),
                    sample(getPage, blocks, samples, random));
        } catch (IOException e) {
            throw new IllegalStateException("cannot read pages", e);
        }
        coppice.start();
        coppice.delete(branch);
    }

    private static String load(Connection connection, int megabytes) {
        Rows.makeTable(connection, "pages", megabytes);
        String path = Rows.text(connection, "select pg_relation_filepath('pages')");
        Rows.close(connection);
        return path;
    }

    private static Timeline withFile(PageService pages, String path) {
        return pages.timelines().stream()
                .map(pages::timeline)
                .filter(timeline -> timeline.stat(path).size() > 0)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("no timeline has " + path));
    }

    private static void pread(FileChannel file, long block) {
        try {
            file.read(ByteBuffer.allocate(BLOCK), block * BLOCK);
        } catch (IOException e) {
            throw new IllegalStateException("pread failed", e);
        }
    }

    private static Samples sample(LongConsumer read, long blocks, int count, Random random) {
        Samples micros = new Samples();
        for (int i = 0; i < count; i++) {
            long block = random.nextLong(blocks);
            long start = System.nanoTime();
            read.accept(block);
            micros.add((System.nanoTime() - start) / 1e3);
        }
        return micros;
    }

    private static void report(Stage stage, String how, Samples pread, Samples getPage) {
        Report report = stage.report();
        report.compare(
                "GetPage of random blocks, " + how + ", p50 (vanilla: pread)",
                "us",
                pread.median(),
                getPage.median(),
                "-");
        report.compare("the same, p99", "us", pread.percentile(99), getPage.percentile(99), "<= 300 us");
        report.compare("the same, one after another", "pages/s", 1e6 / pread.mean(), 1e6 / getPage.mean(), ">= 0.5");
    }
}
