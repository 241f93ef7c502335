package dev.coppice.control.activity;

import dev.coppice.common.Lsn;
import dev.coppice.common.task.PeriodicTask;
import dev.coppice.compute.ComputeAddress;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.sql.AdminConnection;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.control.sql.LiveState;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The watch over one running compute, on a virtual thread of its own, with one connection that it keeps open.
 *
 * <p>The connection has two users, the poll and {@link #freshRoles}, who take turns by a lock. It is opened in the
 * background, so that nobody waits for it after a wake, and opened again when it breaks; the watch ends by {@link #stop}.
 */
final class ComputeWatch {
    private static final Logger log = LoggerFactory.getLogger(ComputeWatch.class);
    private static final Duration POLL_INTERVAL = Duration.ofSeconds(1);

    /** The client that woke the compute gets its first row before the watch's own connection takes a processor. */
    private static final Duration FIRST_LOOK_AFTER = Duration.ofMillis(100);

    private static final Duration RETRY_INTERVAL = Duration.ofMillis(200);
    private static final int FAILURES_BEFORE_WARNING = 10;

    private final String endpointId;
    private final String branchId;
    private final AdminConnection admin;
    private final ComputeAddress address;
    private final Inventory inventory;
    private final RoleSync roles;
    private final IntSupplier suspendTimeoutSeconds;
    private final Runnable onIdle;
    private final IdleClock idle = new IdleClock(System.nanoTime());
    private final PeriodicTask task;
    private final ReentrantLock turn = new ReentrantLock();
    private final Object refreshLock = new Object();
    private @Nullable CompletableFuture<Map<String, LoginRole>> nextRefresh;
    private volatile @Nullable Connection connection;
    private volatile boolean stopped;

    /** Whether the compute could be asked the last time. */
    private volatile boolean reached = true;

    private volatile @Nullable Lsn firstLsn;
    private volatile @Nullable Lsn lastLsn;
    private @Nullable LiveState stored;

    /** Looks that failed in a row; only touched while having the turn. */
    private int failures;

    /**
     * @param suspendTimeoutSeconds asked at every poll; negative = never
     * @param onIdle called on the watch's thread when the timeout has passed; the watch goes on until stopped
     */
    ComputeWatch(
            String endpointId,
            String branchId,
            AdminConnection admin,
            ComputeAddress address,
            Inventory inventory,
            RoleSync roles,
            IntSupplier suspendTimeoutSeconds,
            Runnable onIdle) {
        this.endpointId = endpointId;
        this.branchId = branchId;
        this.admin = admin;
        this.address = address;
        this.inventory = inventory;
        this.roles = roles;
        this.suspendTimeoutSeconds = suspendTimeoutSeconds;
        this.onIdle = onIdle;
        this.task = PeriodicTask.named("compute-watch")
                .of(endpointId)
                .first(FIRST_LOOK_AFTER)
                .every(() -> reached ? POLL_INTERVAL : RETRY_INTERVAL)
                .doing(this::look);
    }

    void start() {
        task.start();
    }

    /** Ends the watch; closes its connection. */
    void stop() {
        stopped = true;
        task.stop();
        close(connection);
    }

    /** Somebody asked for the compute: it is not idle now. */
    void touch() {
        idle.touched(System.nanoTime());
    }

    /** Where the write-ahead log ended at the first poll. */
    Optional<Lsn> firstLsn() {
        return Optional.ofNullable(firstLsn);
    }

    /** Where the write-ahead log ended at the last poll. */
    Optional<Lsn> lastLsn() {
        return Optional.ofNullable(lastLsn);
    }

    long idleNanos() {
        return idle.idleNanos(System.nanoTime());
    }

    /**
     * The roles as they are now, read after this call. Callers that come while a reading is about to start share it, so a
     * storm of logins costs one reading at a time. Fails when the compute cannot be asked.
     *
     * @param mayConnect whether to wait for the watch's own connection; a login of a role that is known already must not,
     *     right after a wake
     */
    CompletableFuture<Map<String, LoginRole>> freshRoles(boolean mayConnect) {
        if (connection == null && !mayConnect) {
            return CompletableFuture.failedFuture(new SQLException("not connected to the compute yet", "08003"));
        }
        synchronized (refreshLock) {
            CompletableFuture<Map<String, LoginRole>> next = nextRefresh;
            if (next == null) {
                next = new CompletableFuture<>();
                nextRefresh = next;
                Thread.ofVirtual().name("roles-" + endpointId).start(this::refresh);
            }
            return next;
        }
    }

    /** Looks now, on the caller's thread: before a suspend, so that nothing changed by SQL is forgotten. */
    void sync() {
        if (!stopped) {
            poll();
        }
    }

    private void refresh() {
        turn.lock();
        try {
            CompletableFuture<Map<String, LoginRole>> mine;
            synchronized (refreshLock) {
                mine = nextRefresh;
                nextRefresh = null;
            }
            if (mine == null) {
                return;
            }
            try {
                Map<String, LoginRole> live = ComputeSql.roles(connect());
                roles.remember(branchId, live);
                mine.complete(live);
            } catch (SQLException | RuntimeException e) {
                mine.completeExceptionally(e);
            }
        } finally {
            turn.unlock();
        }
    }

    private void look() {
        reached = poll();
        if (reached && expired()) {
            onIdle.run();
        }
    }

    private boolean expired() {
        int timeout = suspendTimeoutSeconds.getAsInt();
        return !stopped && timeout >= 0 && idleNanos() >= TimeUnit.SECONDS.toNanos(timeout);
    }

    /** Reads activity, roles and databases; answers whether that was possible. */
    private boolean poll() {
        LiveState live;
        turn.lock();
        try {
            Connection open = connect();
            ActivitySample sample = ActivitySample.take(open);
            idle.sampled(sample, System.nanoTime());
            if (firstLsn == null) {
                firstLsn = sample.lsn();
            }
            lastLsn = sample.lsn();
            live = ComputeSql.read(open);
            roles.remember(branchId, live.roles());
            failures = 0;
        } catch (SQLException e) {
            failures++;
            if (!stopped && failures == FAILURES_BEFORE_WARNING) {
                log.warn(
                        "The compute of {} cannot be watched, so it is not suspended; it goes on trying",
                        endpointId,
                        e);
            }
            close(connection);
            connection = null;
            return false;
        } finally {
            turn.unlock();
        }
        store(live);
        return true;
    }

    private void store(LiveState live) {
        Branch branch = inventory.branch(branchId).orElse(null);
        if (branch == null || live.equals(stored)) {
            return;
        }
        try {
            roles.store(branch, live);
            stored = live;
        } catch (ControlException e) {
            log.debug("Roles of {} are not stored yet: {}", branchId, e.getMessage());
        }
    }

    private Connection connect() throws SQLException {
        Connection open = connection;
        if (open == null) {
            open = admin.open(address);
            connection = open;
            if (stopped) {
                open.close();
                throw new SQLException("the watch has ended", "08003");
            }
        }
        return open;
    }

    private void close(@Nullable Connection open) {
        if (open != null) {
            try {
                open.close();
            } catch (SQLException e) {
                log.debug("Closing the watch's connection to {}: {}", endpointId, e.getMessage());
            }
        }
    }
}
