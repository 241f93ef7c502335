package dev.coppice.proxy.session;

import dev.coppice.proxy.auth.MockVerifiers;
import dev.coppice.proxy.auth.Nonces;
import dev.coppice.proxy.cancel.CancelKeys;
import dev.coppice.proxy.relay.ComputeConnector;
import dev.coppice.proxy.route.EndpointDirectory;
import dev.coppice.proxy.tls.TlsIdentity;
import java.util.Optional;

/** What all connections of one proxy share. */
public record SessionServices(
        SessionSettings settings,
        EndpointDirectory directory,
        Optional<TlsIdentity> tls,
        MockVerifiers mockVerifiers,
        Nonces nonces,
        CancelKeys cancelKeys,
        ComputeConnector connector,
        ProxyMetrics metrics) {}
