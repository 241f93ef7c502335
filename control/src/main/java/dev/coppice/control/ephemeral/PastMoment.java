package dev.coppice.control.ephemeral;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeAddress;
import dev.coppice.control.catalog.model.HiddenTimeline;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.endpoint.Computes;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.sql.ComputeSql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** The compute of one past moment: visited any number of times, then ended once. Thread-safe. */
final class PastMoment {
    private final HiddenTimeline row;
    private final Computes computes;
    private final CompletableFuture<Runnable> made = new CompletableFuture<>();

    // Guarded by this.
    private int arriving;
    private boolean ended;

    /** The branch's roles that were carried over last; guarded by made. */
    private @Nullable Map<String, LoginRole> passwords;

    PastMoment(HiddenTimeline row, Computes computes) {
        this.row = row;
        this.computes = computes;
    }

    HiddenTimeline row() {
        return row;
    }

    String endpointId() {
        return Objects.requireNonNull(row.endpointId());
    }

    /** @param watch begins to watch the running compute for its idleness */
    void made(Runnable watch) {
        made.complete(watch);
    }

    void failed(RuntimeException reason) {
        made.completeExceptionally(reason);
    }

    /**
     * Wakes the compute.
     *
     * @param roles of the branch as they are now: who proved one of their passwords must be let in
     * @return its address; empty when the moment has ended
     */
    Optional<ComputeAddress> visit(Map<String, LoginRole> roles) {
        synchronized (this) {
            if (ended) {
                return Optional.empty();
            }
            arriving++;
        }
        try {
            Runnable watch = made.join();
            ComputeAddress address = computes.awake(endpointId(), new TimelineId(row.timelineId()));
            carryPasswords(address, roles);
            watch.run();
            return Optional.of(address);
        } catch (CompletionException e) {
            throw e.getCause() instanceof ControlException refused ? refused : e;
        } finally {
            synchronized (this) {
                arriving--;
            }
        }
    }

    private void carryPasswords(ComputeAddress address, Map<String, LoginRole> roles) {
        synchronized (made) {
            if (roles.equals(passwords)) {
                return;
            }
            try (Connection connection = computes.admin().open(address)) {
                ComputeSql.setVerifiers(connection, ComputeSql.differing(roles, ComputeSql.roles(connection)));
                passwords = roles;
            } catch (SQLException e) {
                throw ComputeSql.translate(e);
            }
        }
    }

    /**
     * Lets nobody in any more.
     *
     * @param now also when somebody is arriving
     * @return whether this ended it
     */
    synchronized boolean end(boolean now) {
        if (ended || (arriving > 0 && !now)) {
            return false;
        }
        ended = true;
        return true;
    }
}
