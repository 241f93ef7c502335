package dev.coppice.proxy.pool;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pool.sql.SessionSettings;
import dev.coppice.proxy.pool.sql.Setting;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What one client has set, outside a transaction and alone: repeated on each server connection that it gets and that has other
 * settings. Confined to the pool's home loop.
 */
final class RepeatedSettings {
    private static final PgError NOT_ANY_MORE = PgError.of(
            SqlState.INTERNAL_ERROR, "what this session has set cannot be set any more", "RESET it, or connect again.");

    private SessionSettings settings = SessionSettings.NONE;
    private @Nullable Setting pending;
    private boolean applying;
    private boolean cancelled;

    SessionSettings settings() {
        return settings;
    }

    /** Whether a SET is under way that the client has sent. */
    boolean changing() {
        return pending != null;
    }

    /** Whether they are under way to the server connection; no request may go to it before they have arrived. */
    boolean applying() {
        return applying;
    }

    /**
     * Gives the server connection these settings where it has others.
     *
     * @param applied then runs, with what went wrong
     * @return false when it has to be waited for
     */
    boolean apply(PooledServer held, Consumer<Optional<PgError>> applied) {
        if (settings.equals(held.settings())) {
            return true;
        }
        applying = true;
        held.ask(settings.sql(), _ -> applied.accept(applied(held)));
        return false;
    }

    private Optional<PgError> applied(PooledServer held) {
        boolean failed = held.stream().hiddenFailed();
        boolean wasCancelled = cancelled;
        applying = false;
        cancelled = false;
        held.settings(failed ? null : settings);
        if (wasCancelled) {
            return Optional.of(PooledSession.CANCELLED);
        }
        return failed ? Optional.of(NOT_ANY_MORE) : Optional.empty();
    }

    /** The statement that they are repeated for is cancelled; it has not been sent yet. */
    void cancel() {
        cancelled = true;
    }

    /**
     * A SET or RESET goes to the server.
     *
     * @return false when it cannot be repeated, and the client must keep its server connection
     */
    boolean asked(PooledServer held, Setting setting) {
        if (held.quiet() && pending == null && !settings.full()) {
            pending = setting;
            return true;
        }
        return setting.statement().isEmpty();
    }

    /** ReadyForQuery has come: a SET outside a transaction block may have ended. */
    void ready(PooledServer held, boolean failed) {
        Setting ended = pending;
        pending = null;
        if (ended == null || failed) {
            return;
        }
        if (held.stream().takeHasSet() && held.quiet()) {
            settings = settings.with(ended);
            held.settings(settings);
        } else {
            // Prepared only, or in the company of something else.
            held.settings(null);
        }
    }

    /** DISCARD ALL. */
    void clear() {
        settings = SessionSettings.NONE;
    }
}
