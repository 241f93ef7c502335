package dev.coppice.control.endpoint;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeAddress;
import dev.coppice.compute.ComputeException;
import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeSettings;
import dev.coppice.compute.ComputeSpec;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.sql.AdminConnection;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.storage.fault.BoundaryException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;

/** Wakes computes for work on them by SQL. */
public final class Computes {
    private final ComputeService service;
    private final Function<String, ComputeSettings> settings;
    private final ComputeSpec.Mode mode;

    private final Function<String, ComputeSpec.Reach> reach;

    /**
     * Of branches.
     *
     * @param settings what to start an endpoint's compute with
     * @param reach what it may do outside
     */
    public Computes(
            ComputeService service,
            Function<String, ComputeSettings> settings,
            Function<String, ComputeSpec.Reach> reach) {
        this(service, settings, ComputeSpec.Mode.READ_WRITE, reach);
    }

    /** Of what is no branch: they do nothing outside. */
    public Computes(ComputeService service, Function<String, ComputeSettings> settings, ComputeSpec.Mode mode) {
        this(service, settings, mode, _ -> ComputeSpec.Reach.NONE);
    }

    private Computes(
            ComputeService service,
            Function<String, ComputeSettings> settings,
            ComputeSpec.Mode mode,
            Function<String, ComputeSpec.Reach> reach) {
        this.service = service;
        this.settings = settings;
        this.mode = mode;
        this.reach = reach;
    }

    /** Statements on a compute, in auto-commit mode. */
    public interface Work<T> {
        T run(Connection connection) throws SQLException;
    }

    CompletableFuture<ComputeAddress> wake(String endpointId, TimelineId timeline) {
        return service.wake(
                new ComputeSpec(endpointId, timeline, settings.apply(endpointId), mode, reach.apply(endpointId)));
    }

    /**
     * Wakes the compute and runs {@code work} on it.
     *
     * @throws ControlException UNAVAILABLE when it does not wake, else what Postgres's refusal means
     */
    public <T> T run(String endpointId, TimelineId timeline, Work<T> work) {
        return run(endpointId, timeline, AdminConnection.MAINTENANCE_DATABASE, work);
    }

    /** As {@link #run(String, TimelineId, Work)}, connected to {@code database}. */
    public <T> T run(String endpointId, TimelineId timeline, String database, Work<T> work) {
        ComputeAddress address = awake(endpointId, timeline);
        try (Connection connection = admin().open(address, database)) {
            return work.run(connection);
        } catch (SQLException e) {
            throw ComputeSql.translate(e);
        }
    }

    /** The way to databases of computes. */
    public AdminConnection admin() {
        return new AdminConnection(service.postgresVersion());
    }

    /** Wakes the compute and waits for it. */
    public ComputeAddress awake(String endpointId, TimelineId timeline) {
        try {
            return wake(endpointId, timeline).join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof ComputeException cause) {
                throw new ControlException(
                        ControlException.Kind.UNAVAILABLE,
                        "the compute could not be started: " + cause.getMessage(),
                        cause);
            }
            if (e.getCause() instanceof BoundaryException locked) {
                throw new ControlException(ControlException.Kind.LOCKED, String.valueOf(locked.getMessage()), locked);
            }
            throw e;
        }
    }
}
