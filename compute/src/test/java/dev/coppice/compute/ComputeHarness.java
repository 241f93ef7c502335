package dev.coppice.compute;

import com.codahale.metrics.MetricRegistry;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.PageService;
import dev.coppice.storage.io.DurableFiles;
import dev.coppice.storage.layout.BranchPoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** A page service with a template, a compute service on top, and SQL into its computes. */
final class ComputeHarness implements AutoCloseable {
    private static final long OPERATION_MAX_SECONDS = 60;

    final Path directory;
    final MetricRegistry metrics = new MetricRegistry();
    final List<String> events = new CopyOnWriteArrayList<>();

    /** Of the next compute service that is opened. */
    long localCacheBytes = -1;

    PageService pages;
    ComputeService computes;
    private final Function<Path, PageService> opener;
    private final ConcurrentHashMap<Path, UnixSocketBridge> bridges = new ConcurrentHashMap<>();

    ComputeHarness() throws IOException {
        this(TestDirectories.create());
    }

    /** @param directory an empty one, open to the computes' user; it is deleted in the end */
    ComputeHarness(Path directory) throws IOException {
        this(directory, PageService::open);
    }

    /** @param opener opens the page service */
    ComputeHarness(Path directory, Function<Path, PageService> opener) throws IOException {
        this.directory = directory;
        this.opener = opener;
        open();
        TemplateCluster.prepare(
                pages,
                TestDirectories.binaries(),
                TestDirectories.interposer(),
                ComputeUser.detect(),
                TestDirectories.sandbox(),
                directory.resolve("initdb"));
    }

    private void open() {
        pages = opener.apply(directory.resolve("timelines"));
        computes = new ComputeService(new ComputeService.Parts(
                pages,
                TestDirectories.binaries(),
                InterposerLibrary.prepare(TestDirectories.shared()),
                TestDirectories.users(directory),
                directory.resolve("run"),
                new LocalProcessDriver(TestDirectories.sandbox()),
                metrics,
                Clock.systemUTC(),
                localCacheBytes));
        computes.addListener(new ComputeListener() {
            @Override
            public void woken(String endpointId) {
                events.add("woken " + endpointId);
            }

            @Override
            public void suspended(String endpointId) {
                events.add("suspended " + endpointId);
            }

            @Override
            public void crashed(String endpointId, String reason) {
                events.add("crashed " + endpointId);
            }
        });
    }

    /** As if the server process had been replaced while computes ran on. */
    void restartServer() {
        closeServer();
        openServer();
    }

    void closeServer() {
        computes.close();
        pages.close();
    }

    void openServer() {
        open();
        computes.recover();
    }

    /** A timeline that begins at the head of another. */
    TimelineId branch(String name, String parent) {
        BranchPoint point = pages.timeline(new TimelineId(parent)).head();
        return pages.createBranch(new TimelineId(name), point).id();
    }

    /** An endpoint {@code ep-<timeline>}, woken. */
    ComputeAddress wake(String timeline) {
        return await(computes.wake(spec(timeline)));
    }

    void suspend(String timeline) {
        await(computes.suspend("ep-" + timeline));
    }

    static ComputeSpec spec(String timeline) {
        return new ComputeSpec("ep-" + timeline, new TimelineId(timeline), ComputeSettings.defaults());
    }

    long pid(String timeline) {
        return computes.status("ep-" + timeline).orElseThrow().pid().orElseThrow();
    }

    Connection connect(String timeline, String database) throws SQLException, IOException {
        Path socket = socket("ep-" + timeline);
        UnixSocketBridge bridge = bridges.get(socket);
        if (bridge == null) {
            bridge = new UnixSocketBridge(socket);
            bridges.put(socket, bridge);
        }
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + bridge.port() + "/" + database
                + "?user=coppice_admin&sslmode=disable&gssEncMode=disable");
    }

    /** Also of a compute that another server woke. */
    private Path socket(String endpointId) throws IOException {
        try (var names = Files.list(directory.resolve("run").resolve(endpointId))) {
            return names.filter(Files::isDirectory).findFirst().orElseThrow().resolve(".s.PGSQL.5432");
        }
    }

    void execute(String timeline, String... statements) throws SQLException, IOException {
        try (Connection connection = connect(timeline, "postgres");
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    String query(String timeline, String sql) throws SQLException, IOException {
        try (Connection connection = connect(timeline, "postgres");
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    static <T> T await(java.util.concurrent.CompletableFuture<T> future) {
        try {
            return future.get(OPERATION_MAX_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new AssertionError(e.getCause());
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() throws IOException {
        try {
            await(computes.suspendAll());
        } finally {
            for (UnixSocketBridge bridge : bridges.values()) {
                bridge.close();
            }
            computes.close();
            pages.close();
            DurableFiles.deleteRecursively(directory);
        }
    }
}
