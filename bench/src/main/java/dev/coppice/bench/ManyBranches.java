package dev.coppice.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** What a call, a login, the heap, the disk and a start cost with few branches and with many, all of them real. */
final class ManyBranches implements Measurement {
    private static final int FEW = 10;
    private static final int MAKERS = 4;
    private static final int SAMPLES = 50;

    private record Figures(double create, double list, double route, double heap, double disk, double start) {}

    @Override
    public void run(Stage stage) {
        int many = stage.arguments().number("--branches");
        List<String> ids = new ArrayList<>();
        Figures few = with(stage, ids, FEW);
        Figures all = with(stage, ids, many);
        String what = ", p50, " + FEW + " / " + many + " branches";
        Report report = stage.report();
        report.compareOwn("create a branch (API call)" + what, "ms", few.create(), all.create(), "<= 1.2");
        report.compareOwn(
                "route: connect to an awake branch, first row" + what, "ms", few.route(), all.route(), "<= 1.2");
        report.compareOwn("list all branches (API call)" + what, "ms", few.list(), all.list(), "-");
        report.compareOwn("server start to the first row of main" + what, "ms", few.start(), all.start(), "-");
        report.alone("heap per branch", "kB", (all.heap() - few.heap()) / (many - FEW) / 1e3, "<= 10 kB");
        report.alone(
                "disk per branch that never woke", "kB", (all.disk() - few.disk()) / (many - FEW) / 1e3, "<= 64 kB");
    }

    private static Figures with(Stage stage, List<String> ids, int count) {
        CoppiceServer coppice = stage.coppice();
        CoppiceServer.Branch main = coppice.awakeMain();
        make(coppice, main, ids, count);
        coppice.stop();
        long begin = System.nanoTime();
        coppice.start();
        coppice.awaitFirstRow(main);
        double start = (System.nanoTime() - begin) / 1e6;
        Samples create = new Samples();
        Samples list = new Samples();
        Samples route = new Samples();
        for (int i = 0; i < SAMPLES; i++) {
            create.add(coppice.createMillis("sample-" + count + "-" + i, main.id()));
            list.add(coppice.listMillis());
            route.add(coppice.connectToFirstRowMillis(main));
        }
        return new Figures(
                create.median(),
                list.median(),
                route.median(),
                coppice.liveHeapBytes(),
                Disk.allocated(coppice.timelines(), "local"),
                start);
    }

    private static void make(CoppiceServer coppice, CoppiceServer.Branch main, List<String> ids, int count) {
        try (ExecutorService makers = Executors.newFixedThreadPool(MAKERS)) {
            List<Future<String>> made = new ArrayList<>();
            for (int i = ids.size(); i < count; i++) {
                String name = "many-" + i;
                made.add(makers.submit(() -> coppice.createBranchOnly(name, main.id())));
            }
            for (Future<String> one : made) {
                ids.add(one.get());
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException("cannot make branches", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
