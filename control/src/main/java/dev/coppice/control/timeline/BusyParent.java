package dev.coppice.control.timeline;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeAddress;
import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeState;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.sql.AdminConnection;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.storage.PageService;
import dev.coppice.storage.Timeline;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.wal.ControlFile;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shortens what the first wake of a branch has to replay. A branch starts from its parent's last checkpoint before the branch
 * point, and replay reads and writes every page that was touched since. So a parent with a long distance is told to
 * checkpoint before the point is taken; the point only gets later by that, and nothing acknowledged is lost. The work is what
 * the parent's next checkpoint would do anyway, and many branches share it ({@code docs/decisions/013}).
 */
public final class BusyParent {
    private static final Logger log = LoggerFactory.getLogger(BusyParent.class);

    /** Bytes of WAL that are replayed in a few milliseconds: about a thousand small transactions. */
    private static final long DISTANCE_MAX = 512 << 10;

    /** The first checkpoint takes as long as what is dirty is large, and the load goes on; the next ones are short. */
    private static final int ROUNDS_MAX = 3;

    /** Beyond it a branch is made with the distance that there is. */
    private static final long WAIT_MAX_MILLIS = 3000;

    private final Inventory inventory;
    private final PageService pages;
    private final ComputeService computeService;
    private final AdminConnection admin;

    public BusyParent(Inventory inventory, PageService pages, ComputeService computeService, AdminConnection admin) {
        this.inventory = inventory;
        this.pages = pages;
        this.computeService = computeService;
        this.admin = admin;
    }

    /** Returns at once for a parent that rests or has little to replay. */
    void shortenReplay(Branch parent) {
        Optional<ComputeAddress> address = inventory
                .endpointOfBranch(parent.id())
                .map(Endpoint::id)
                .filter(id -> computeService.state(id) == ComputeState.ACTIVE)
                .flatMap(id -> computeService.address(id));
        if (address.isEmpty() || distance(parent) <= DISTANCE_MAX) {
            return;
        }
        CompletableFuture<Void> done = new CompletableFuture<>();
        Thread.ofVirtual().name("checkpoint " + parent.id()).start(() -> {
            try (Connection connection = admin.open(address.get())) {
                for (int round = 0; round < ROUNDS_MAX && !done.isDone() && distance(parent) > DISTANCE_MAX; round++) {
                    ComputeSql.checkpoint(connection);
                }
                done.complete(null);
            } catch (SQLException | RuntimeException e) {
                done.completeExceptionally(e);
            }
        });
        try {
            done.get(WAIT_MAX_MILLIS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            log.debug("Branching from {}, {} bytes after its last checkpoint", parent.id(), distance(parent), e);
            done.complete(null);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Bytes of WAL that a branch at the head would replay; 0 when that cannot be told. */
    private long distance(Branch parent) {
        try {
            TimelineId id = parent.timeline();
            Timeline timeline = pages.timeline(id);
            return timeline.readFile(ControlFile.PATH)
                    .map(bytes -> ControlFile.parse(bytes, id))
                    .filter(control -> control.state() != ControlFile.SHUT_DOWN)
                    .map(control -> timeline.endOfWal().value() - control.redo())
                    .orElse(0L);
        } catch (StorageException e) {
            // Taking the branch point meets the same, and says it.
            log.debug("Cannot tell how much of {} a branch would replay", parent.id(), e);
            return 0;
        }
    }
}
