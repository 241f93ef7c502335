package dev.coppice.control.catalog;

import com.impossibl.postgres.api.jdbc.PGConnection;
import com.impossibl.postgres.api.jdbc.PGNotificationListener;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.coppice.common.task.PeriodicTask;
import dev.coppice.control.catalog.model.ApiKey;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.catalog.rows.AnnotationRows;
import dev.coppice.control.catalog.rows.ApiKeyRows;
import dev.coppice.control.catalog.rows.OperationRows;
import dev.coppice.control.catalog.rows.RoleMaskingRows;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.catalog.rows.Rows;
import dev.coppice.control.catalog.rows.Sql;
import dev.coppice.control.error.ControlException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Transactions on the catalog, and the inventory kept equal to it.
 *
 * <p>A change goes through {@link #change}: one transaction that also notifies the other control planes, then the same
 * change to the inventory. Changes by others arrive as notifications ({@code <instance> <project id>}) and make that
 * project's part be read again; after a lost connection everything is read again, because notifications may have been missed.
 */
public final class Catalog implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Catalog.class);
    private static final String CHANNEL = "coppice";
    private static final String API_KEYS = "api-keys";
    private static final int POOL_SIZE = 4;
    private static final int CHANGE_LOCKS = 64;
    private static final Duration POOL_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration LISTEN_PAUSE = Duration.ofMillis(500);
    private static final String UNIQUE_VIOLATION = "23505";

    /** What pgjdbc-ng says when it cannot connect; meant as 08001. */
    private static final String NO_SOCKET = "8001";

    private final HikariDataSource pool;
    private final Steps steps;

    /** Keeps a reading of the catalog from overwriting an image that was changed after the reading. */
    private final ReentrantReadWriteLock imageLock = new ReentrantReadWriteLock();

    /** By project; see {@link #changeRows}. */
    private final ReentrantLock[] changes = locks();

    /** By what it is about; taken before any other lock. */
    private final ReentrantLock[] turns = locks();

    private final Inventory inventory = new Inventory();
    private final String instance = UUID.randomUUID().toString();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final PeriodicTask listener;
    private final Semaphore reloads = new Semaphore(0);
    private final AtomicReference<@Nullable Connection> listening = new AtomicReference<>();

    /** Whether notifications may have been missed; for the listener. */
    private boolean missed;

    private Catalog(HikariDataSource pool, Steps steps) {
        this.pool = pool;
        this.steps = steps;
        this.listener = PeriodicTask.named("catalog-listener")
                .first(Duration.ZERO)
                .every(LISTEN_PAUSE)
                .doing(this::listen);
    }

    private static ReentrantLock[] locks() {
        return Stream.generate(ReentrantLock::new).limit(CHANGE_LOCKS).toArray(ReentrantLock[]::new);
    }

    /** Statements in one transaction. */
    public interface Work<T extends @Nullable Object> {
        T run(Connection connection) throws SQLException;
    }

    /** Statements in one transaction, without a result. */
    public interface Change {
        void run(Connection connection) throws SQLException;
    }

    /**
     * Connects to the catalog at a Unix socket, migrates its schema and reads the inventory.
     *
     * @throws ControlException when it cannot be reached, or its schema is newer than this program
     */
    public static Catalog open(Path socket) {
        return open(socket, Steps.NONE);
    }

    /** As {@link #open(Path)}, telling {@code steps} of every transaction. */
    public static Catalog open(Path socket, Steps steps) {
        HikariConfig config = new HikariConfig();
        config.setPoolName("catalog");
        config.setJdbcUrl(url(socket, "postgres"));
        config.setUsername("coppice_admin");
        config.setAutoCommit(false);
        config.setMaximumPoolSize(POOL_SIZE);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(POOL_TIMEOUT.toMillis());
        config.setValidationTimeout(1000);
        config.setThreadFactory(
                Thread.ofPlatform().daemon().name("catalog-pool-", 0).factory());
        Catalog catalog = new Catalog(new HikariDataSource(config), steps);
        try {
            catalog.transaction(connection -> {
                new Migrations(Migrations.SCRIPTS).apply(connection);
                return Boolean.TRUE;
            });
            catalog.reloadAll();
            catalog.listener.start();
            return catalog;
        } catch (RuntimeException e) {
            catalog.close();
            throw e;
        }
    }

    /** pgjdbc-ng's URL of a database behind a Unix socket; without a host there is no silent fall back to TCP. */
    public static String url(Path socket, String database) {
        return "jdbc:pgsql:" + URLEncoder.encode(database, StandardCharsets.UTF_8) + "?unixsocket="
                + URLEncoder.encode(socket.toString(), StandardCharsets.UTF_8)
                + "&housekeeper=false&protocol.io.threads=1&application.name=coppice";
    }

    public Steps steps() {
        return steps;
    }

    public Inventory inventory() {
        return inventory;
    }

    /**
     * Runs {@code work} in a transaction.
     *
     * @throws ControlException CONFLICT when a unique constraint is violated, UNAVAILABLE when the catalog is away, UNCERTAIN
     *     when it went away during the commit; everything is then read again
     */
    public <T extends @Nullable Object> T transaction(Work<T> work) {
        steps.between();
        T result = committed(work);
        steps.between();
        return result;
    }

    private <T extends @Nullable Object> T committed(Work<T> work) {
        try (Connection connection = pool.getConnection()) {
            try {
                T result = work.run(connection);
                commit(connection);
                return result;
            } catch (SQLException | RuntimeException e) {
                rollBack(connection, e);
                throw e;
            }
        } catch (SQLException e) {
            throw translate(e);
        }
    }

    /** Changes a project's rows and, once that is committed, the inventory; others are notified. */
    public <T> T changeReturning(String projectId, Work<T> rows, Consumer<Inventory> image) {
        imageLock.readLock().lock();
        try {
            T result = transaction(connection -> {
                T made = rows.run(connection);
                tell(connection, projectId);
                return made;
            });
            image.accept(inventory);
            return result;
        } finally {
            imageLock.readLock().unlock();
        }
    }

    /**
     * Changes rows that are there, as {@link Rows#changeProject} and its like do, and takes what they are then into the
     * inventory, in the order in which the catalog has it: one change of a project at a time.
     *
     * @param rows must not change anything else through this object
     */
    public <T> T changeRows(String projectId, Work<T> rows, BiConsumer<Inventory, T> image) {
        ReentrantLock order = changes[Math.floorMod(projectId.hashCode(), changes.length)];
        order.lock();
        imageLock.readLock().lock();
        try {
            T made = transaction(connection -> {
                T changed = rows.run(connection);
                tell(connection, projectId);
                return changed;
            });
            image.accept(inventory, made);
            return made;
        } finally {
            imageLock.readLock().unlock();
            order.unlock();
        }
    }

    /**
     * The turn of one who does more about an endpoint or the like than one transaction. May be another's turn too: nobody takes
     * two.
     */
    public ReentrantLock turn(String id) {
        return turns[Math.floorMod(id.hashCode(), turns.length)];
    }

    /** Changes a project as it is now; see {@link #changeRows}. */
    public Project changeProject(String projectId, UnaryOperator<Project> change) {
        return changeRows(projectId, connection -> Rows.changeProject(connection, projectId, change), Inventory::put);
    }

    /** Changes a branch as it is now; see {@link #changeRows}. */
    public Branch changeBranch(String projectId, String branchId, UnaryOperator<Branch> change) {
        return changeRows(projectId, connection -> Rows.changeBranch(connection, branchId, change), Inventory::put);
    }

    /** As {@link #changeReturning}, for rows that answer nothing. */
    public void change(String projectId, Change rows, Consumer<Inventory> image) {
        var _ = changeReturning(
                projectId,
                connection -> {
                    rows.run(connection);
                    return Boolean.TRUE;
                },
                image);
    }

    /**
     * Finds out whether a change whose outcome is uncertain was made, and takes over what the catalog says of the project.
     * Waits until the catalog answers.
     *
     * @param operation was running before the change, which finishes it
     */
    public boolean settle(Operation operation) {
        while (true) {
            try {
                boolean made = transaction(
                                connection -> OperationRows.find(connection, operation.projectId(), operation.id()))
                        .filter(found -> found.status() == Operation.Status.FINISHED)
                        .isPresent();
                reloadProject(operation.projectId());
                return made;
            } catch (ControlException e) {
                boolean later =
                        e.kind() == ControlException.Kind.UNAVAILABLE || e.kind() == ControlException.Kind.UNCERTAIN;
                if (closed.get() || !later) {
                    throw e;
                }
                log.warn("Waiting for the catalog to say whether {} was made: {}", operation.action(), e.getMessage());
                pause();
            }
        }
    }

    /**
     * Stores the hash of a new API key.
     *
     * @param projectId the only project that it opens; absent = everything
     * @param scope what it opens there; ANONYMIZED needs a project
     */
    public ApiKey addApiKey(String name, @Nullable String projectId, ApiKey.Scope scope, byte[] hash, Instant now) {
        ApiKey key = transaction(connection -> {
            ApiKey made = ApiKeyRows.insert(connection, name, projectId, scope, hash, now);
            tell(connection, API_KEYS);
            return made;
        });
        reloadApiKeys();
        return key;
    }

    /** All API keys, without the keys. */
    public List<ApiKey> apiKeys() {
        return transaction(ApiKeyRows::list);
    }

    /** Notes when an API key was used last, and from where. */
    public void noteApiKeyUse(long id, Instant at, String from) {
        transaction(connection -> {
            ApiKeyRows.used(connection, id, at, from);
            return Boolean.TRUE;
        });
    }

    /** Deletes an API key, which opens nothing from now on; empty when there is none. */
    public Optional<ApiKey> removeApiKey(long id) {
        Optional<ApiKey> key = transaction(connection -> {
            tell(connection, API_KEYS);
            return ApiKeyRows.delete(connection, id);
        });
        reloadApiKeys();
        return key;
    }

    /** Reads everything again. */
    private void reloadAll() {
        Set<String> ids = new HashSet<>();
        inventory.projects().forEach(known -> ids.add(known.id()));
        ids.addAll(transaction(Rows::projectIds));
        ids.forEach(this::reloadProject);
        reloadApiKeys();
    }

    private void reloadProject(String id) {
        imageLock.writeLock().lock();
        try {
            inventory.replaceProject(id, transaction(connection -> contents(connection, id)));
        } finally {
            imageLock.writeLock().unlock();
        }
    }

    private void reloadApiKeys() {
        inventory.replaceApiKeys(transaction(ApiKeyRows::byHash));
    }

    private static Inventory.Contents contents(Connection connection, String project) throws SQLException {
        return new Inventory.Contents(
                Rows.projects(connection, project),
                Rows.branches(connection, project),
                Rows.endpoints(connection, project),
                RoleRows.loginRolesByBranch(connection, project),
                AnnotationRows.ofProject(connection, project),
                RoleMaskingRows.ofProject(connection, project));
    }

    private void tell(Connection connection, String what) throws SQLException {
        Sql.list(connection, row -> true, "SELECT pg_notify(?, ?)", CHANNEL, instance + " " + what);
    }

    /** Listens on one connection as long as it lasts; when it is not the first, everything is read again. */
    private void listen() throws SQLException, InterruptedException {
        reloads.drainPermits();
        try (Connection connection = DriverManager.getConnection(pool.getJdbcUrl(), pool.getUsername(), "")) {
            listening.set(connection);
            connection.unwrap(PGConnection.class).addNotificationListener(CHANNEL, CHANNEL, new Changes());
            try (Statement statement = connection.createStatement()) {
                statement.execute("LISTEN " + CHANNEL);
            }
            if (missed) {
                reloadAll();
            }
            missed = true;
            reloads.acquire();
        }
    }

    private void pause() {
        try {
            if (!closed.get()) {
                TimeUnit.MILLISECONDS.sleep(LISTEN_PAUSE.toMillis());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Called on the driver's I/O thread, so the reading happens elsewhere. */
    private final class Changes implements PGNotificationListener {
        @Override
        public void notification(int processId, String channelName, String payload) {
            int space = payload.indexOf(' ');
            if (space > 0 && !payload.substring(0, space).equals(instance)) {
                String what = payload.substring(space + 1);
                Thread.ofVirtual().name("catalog-reload").start(() -> reload(what));
            }
        }

        @Override
        public void closed() {
            reloads.release();
        }
    }

    private void reload(String what) {
        try {
            if (what.equals(API_KEYS)) {
                reloadApiKeys();
            } else {
                reloadProject(what);
            }
        } catch (ControlException e) {
            log.warn("A change in the catalog could not be read: {}", e.getMessage());
            reloads.release();
        }
    }

    private void commit(Connection connection) throws SQLException {
        try {
            connection.commit();
        } catch (SQLException e) {
            if (isAway(e)) {
                reloads.release();
                throw new ControlException(
                        ControlException.Kind.UNCERTAIN,
                        "the catalog went away during this change; look whether it was made, then try again",
                        e);
            }
            throw e;
        }
    }

    private static void rollBack(Connection connection, Exception reason) {
        try {
            connection.rollback();
        } catch (SQLException e) {
            reason.addSuppressed(e);
        }
    }

    /** Whether the connection is at fault, or the server's state: not what was asked of it. */
    private static boolean isAway(SQLException e) {
        String state = e.getSQLState();
        return state == null
                || state.startsWith("08")
                || state.startsWith("57")
                || state.startsWith("53")
                || state.equals(NO_SOCKET);
    }

    private static ControlException translate(SQLException e) {
        String state = e.getSQLState();
        if (UNIQUE_VIOLATION.equals(state)) {
            return new ControlException(ControlException.Kind.CONFLICT, "it exists already", e);
        }
        if (isAway(e)) {
            return new ControlException(
                    ControlException.Kind.UNAVAILABLE, "the catalog is not available just now; try again", e);
        }
        return new ControlException(ControlException.Kind.INTERNAL, "the catalog refused: " + e.getMessage(), e);
    }

    @Override
    public void close() {
        closed.set(true);
        reloads.release();
        listener.stop();
        Connection connection = listening.get();
        if (connection != null) {
            try {
                connection.close();
            } catch (SQLException e) {
                log.debug("Closing the listening connection: {}", e.getMessage());
            }
        }
        pool.close();
    }
}
