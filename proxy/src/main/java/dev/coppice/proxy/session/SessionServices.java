package dev.coppice.proxy.session;

import dev.coppice.proxy.auth.MockVerifiers;
import dev.coppice.proxy.auth.Nonces;
import dev.coppice.proxy.auth.PasswordChecker;
import dev.coppice.proxy.cancel.CancelKeys;
import dev.coppice.proxy.http.HttpServices;
import dev.coppice.proxy.limit.LoginLimiter;
import dev.coppice.proxy.pool.Pools;
import dev.coppice.proxy.relay.ComputeAccess;
import dev.coppice.proxy.route.EndpointDirectory;
import dev.coppice.proxy.tls.TlsSource;

/** What all connections of one proxy share. */
public record SessionServices(
        SessionSettings settings,
        TlsSource tls,
        MockVerifiers mockVerifiers,
        Nonces nonces,
        PasswordChecker passwords,
        LoginLimiter limiter,
        CancelKeys cancelKeys,
        ComputeAccess compute,
        Pools pools,
        HttpServices http,
        ProxyMetrics metrics) {

    EndpointDirectory directory() {
        return compute.directory();
    }
}
