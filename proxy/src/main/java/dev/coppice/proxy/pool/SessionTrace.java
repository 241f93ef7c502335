package dev.coppice.proxy.pool;

import dev.coppice.common.LogText;
import dev.coppice.proxy.pool.sql.Inspection;
import dev.coppice.proxy.pool.sql.PinReason;
import dev.coppice.proxy.pool.sql.SessionSettings;
import io.netty.channel.Channel;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a client leaves behind in its server session: settings, which are repeated elsewhere, and what cannot be repeated, for which the client keeps its
 * server connection. Confined to the pool's home loop.
 */
final class SessionTrace {
    private static final Logger log = LoggerFactory.getLogger(SessionTrace.class);

    private final EndpointPool pool;
    private final Channel client;
    private final RepeatedSettings repeated = new RepeatedSettings();
    private @Nullable PinReason pinned;
    private boolean discards;
    private boolean hasLocalSettings;

    SessionTrace(EndpointPool pool, Channel client) {
        this.pool = pool;
        this.client = client;
    }

    RepeatedSettings repeated() {
        return repeated;
    }

    SessionSettings settings() {
        return repeated.settings();
    }

    /** Whether the client keeps its server connection. */
    boolean pinned() {
        return pinned != null;
    }

    /** Nothing is to stay: the server session is cleaned by DISCARD ALL after each use, so no pin is needed. */
    void discardAfterUse() {
        discards = true;
    }

    boolean discardsAfterUse() {
        return discards;
    }

    /** The client is given a server connection. */
    void assigned(PooledServer free) {
        if (discards) {
            free.needsDiscard();
        }
    }

    /** A request with this in it goes to the server. */
    void asked(PooledServer held, Inspection found) {
        found.pin().ifPresent(reason -> pin(held, reason));
        if (found.setting().isPresent() && !repeated.asked(held, found.setting().get())) {
            pin(held, PinReason.SET);
        }
        hasLocalSettings |= found.localSetting();
    }

    void pin(PooledServer held, PinReason reason) {
        held.needsDiscard();
        if (reason.outlivesDiscard()) {
            held.spent();
        }
        if (pinned == null && !discards) {
            pinned = reason;
            pool.metrics().pinned(reason);
            log.info(
                    "client {} of endpoint {} keeps its server connection: {}",
                    client.remoteAddress(),
                    LogText.field(pool.endpointId()),
                    reason.label());
        }
    }

    /** A transaction has ended: what the server reported in it may tell of a setting that nothing else told of. */
    void pinIfChangedUnseen(PooledServer held) {
        if (pinned == null && held.parametersChanged(settings())) {
            pin(held, PinReason.PARAMETER);
        }
    }

    /** ReadyForQuery has come. */
    void ready(PooledServer held) {
        boolean hadError = held.stream().takeFailed();
        if (held.stream().takeHasDiscarded() && held.quiet()) {
            pinned = null;
            repeated.clear();
            held.discarded();
        }
        repeated.ready(held, hadError);
        hasLocalSettings &= !held.quiet();
    }

    /** The settings that what is parsed now is understood under, as far as they count for that; null when they are not known. */
    @Nullable
    SessionSettings forParsing(PooledServer held) {
        return pinned != null || hasLocalSettings || repeated.changing() || held.parametersChanged(settings())
                ? null
                : settings().forParsing();
    }
}
