package dev.coppice.bench;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * What calls of the API, a login, the heap, the disk and a start cost with few branches in a project and with many, all of
 * them real. After each start calls are made until the JVM has compiled what they run, as in a server that has been up for a while.
 */
final class ManyBranches implements Measurement {
    private static final int FEW = 10;
    private static final int MAKERS = 4;
    private static final int WARM_UP = 150;
    private static final int SAMPLES = 60;
    private static final int PAGE = 100;

    /** Of everything. */
    private static final int LISTS = 10;

    /** What is asked of the server, in this order in each round. */
    private enum Call {
        CREATE("create a branch", "<= 1.2"),
        DELETE("delete a branch for good", "-"),
        ROUTE("route: connect to an awake branch, first row", "<= 1.2"),
        PAGE_BY_AGE("list the newest " + PAGE + " branches", "-"),
        PAGE_BY_NAME("list the first " + PAGE + " branches by name", "-"),
        SEARCH("search for one branch by name", "-");

        private final String what;
        private final String goal;

        Call(String what, String goal) {
            this.what = what;
            this.goal = goal;
        }
    }

    private record Figures(Map<Call, Double> calls, double list, double pages, double heap, double disk, double start) {
        double of(Call call) {
            return Objects.requireNonNull(calls.get(call));
        }
    }

    @Override
    public void run(Stage stage) {
        int many = stage.arguments().number("--branches");
        List<String> ids = new ArrayList<>();
        Figures few = with(stage, ids, FEW);
        Figures all = with(stage, ids, many);
        String what = ", p50, " + FEW + " / " + many + " branches";
        Report report = stage.report();
        for (Call call : Call.values()) {
            report.compareOwn(call.what + what, "ms", few.of(call), all.of(call), call.goal);
        }
        report.compareOwn("list all branches in one call" + what, "ms", few.list(), all.list(), "-");
        report.compareOwn("list all branches, " + PAGE + " a page" + what, "ms", few.pages(), all.pages(), "-");
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
        Map<Call, Samples> samples = new EnumMap<>(Call.class);
        Samples list = new Samples();
        Samples pages = new Samples();
        for (int i = -WARM_UP; i < SAMPLES; i++) {
            Map<Call, Double> round = round(coppice, main, "sample-" + count + "-" + i);
            if (i >= 0) {
                round.forEach((call, millis) ->
                        samples.computeIfAbsent(call, _ -> new Samples()).add(millis));
            }
        }
        for (int i = 0; i < LISTS; i++) {
            list.add(coppice.listMillis("?limit=10000"));
            pages.add(coppice.listPagesMillis(PAGE));
        }
        Map<Call, Double> medians = new EnumMap<>(Call.class);
        samples.forEach((call, all) -> medians.put(call, all.median()));
        return new Figures(
                medians,
                list.median(),
                pages.median(),
                coppice.liveHeapBytes(),
                Disk.allocated(coppice.timelines(), "local"),
                start);
    }

    private static Map<Call, Double> round(CoppiceServer coppice, CoppiceServer.Branch main, String name) {
        Map<Call, Double> millis = new EnumMap<>(Call.class);
        long begin = System.nanoTime();
        String made = coppice.createBranchOnly(name, main.id());
        millis.put(Call.CREATE, (System.nanoTime() - begin) / 1e6);
        millis.put(Call.ROUTE, coppice.connectToFirstRowMillis(main));
        millis.put(Call.PAGE_BY_AGE, coppice.listMillis("?limit=" + PAGE + "&sort_order=desc"));
        millis.put(Call.PAGE_BY_NAME, coppice.listMillis("?limit=" + PAGE + "&sort_by=name"));
        millis.put(Call.SEARCH, coppice.listMillis("?search=" + name));
        millis.put(Call.DELETE, coppice.deleteMillis(made));
        return millis;
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
