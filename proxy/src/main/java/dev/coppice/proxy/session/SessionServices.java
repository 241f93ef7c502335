package dev.coppice.proxy.session;

import dev.coppice.proxy.auth.MockVerifiers;
import dev.coppice.proxy.auth.Nonces;
import dev.coppice.proxy.auth.PasswordChecker;
import dev.coppice.proxy.cancel.CancelKeys;
import dev.coppice.proxy.http.HttpServices;
import dev.coppice.proxy.limit.LoginLimiter;
import dev.coppice.proxy.limit.UnauthenticatedConnections;
import dev.coppice.proxy.pool.Pools;
import dev.coppice.proxy.relay.ComputeAccess;
import dev.coppice.proxy.route.EndpointDirectory;
import dev.coppice.proxy.tls.TlsSource;
import java.util.concurrent.atomic.AtomicReference;

/**
 * What all connections of one proxy share.
 *
 * @param currentSettings replaced as a whole when the configuration is read again
 */
public record SessionServices(
        AtomicReference<SessionSettings> currentSettings,
        TlsSource tls,
        MockVerifiers mockVerifiers,
        Nonces nonces,
        PasswordChecker passwords,
        LoginLimiter limiter,
        UnauthenticatedConnections unauthenticated,
        CancelKeys cancelKeys,
        ComputeAccess compute,
        Pools pools,
        HttpServices http,
        ProxyMetrics metrics) {

    SessionSettings settings() {
        return currentSettings.get();
    }

    EndpointDirectory directory() {
        return compute.directory();
    }
}
