package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeAddress;
import dev.coppice.compute.ComputeException;
import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeSettings;
import dev.coppice.compute.ComputeSpec;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.sql.ComputeSql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;

/** Wakes computes for work on them by SQL. */
final class Computes {
    private final ComputeService service;
    private final Function<String, ComputeSettings> settings;
    private final ComputeSpec.Mode mode;

    /** @param settings what to start an endpoint's compute with */
    Computes(ComputeService service, Function<String, ComputeSettings> settings) {
        this(service, settings, ComputeSpec.Mode.READ_WRITE);
    }

    Computes(ComputeService service, Function<String, ComputeSettings> settings, ComputeSpec.Mode mode) {
        this.service = service;
        this.settings = settings;
        this.mode = mode;
    }

    /** Statements on a compute, in auto-commit mode. */
    interface Work<T> {
        T run(Connection connection) throws SQLException;
    }

    CompletableFuture<ComputeAddress> wake(String endpointId, TimelineId timeline) {
        return service.wake(new ComputeSpec(endpointId, timeline, settings.apply(endpointId), mode));
    }

    /**
     * Wakes the compute and runs {@code work} on it.
     *
     * @throws ControlException UNAVAILABLE when it does not wake, else what Postgres's refusal means
     */
    <T> T run(String endpointId, TimelineId timeline, Work<T> work) {
        return run(endpointId, timeline, ComputeSql.MAINTENANCE_DATABASE, work);
    }

    /** As {@link #run(String, TimelineId, Work)}, connected to {@code database}. */
    <T> T run(String endpointId, TimelineId timeline, String database, Work<T> work) {
        ComputeAddress address = awake(endpointId, timeline);
        try (Connection connection = ComputeSql.open(address.socket(), database)) {
            return work.run(connection);
        } catch (SQLException e) {
            throw ComputeSql.translate(e);
        }
    }

    /** Wakes the compute and waits for it. */
    ComputeAddress awake(String endpointId, TimelineId timeline) {
        try {
            return wake(endpointId, timeline).join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof ComputeException cause) {
                throw new ControlException(
                        ControlException.Kind.UNAVAILABLE,
                        "the compute could not be started: " + cause.getMessage(),
                        cause);
            }
            throw e;
        }
    }
}
