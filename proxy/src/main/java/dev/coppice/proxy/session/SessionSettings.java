package dev.coppice.proxy.session;

import dev.coppice.proxy.limit.AddressRanges;
import dev.coppice.proxy.limit.RateLimits;
import java.time.Duration;
import java.util.List;

/**
 * What may change while the proxy runs; connections that are there already are not looked at again.
 *
 * @param maxConnections sessions at one time; one more is refused
 * @param handshakeTimeout from the connection to the proved password, in all
 * @param domains whose first label names an endpoint or branch
 * @param tlsRequired whether a connection in clear is refused
 * @param allowedAddresses from where one may log in
 * @param unauthenticatedPerAddress as {@link RateLimits#unauthenticatedPerAddress}
 * @param proxyProtocol whether load balancers say where a connection came from
 */
public record SessionSettings(
        int maxConnections,
        Duration handshakeTimeout,
        List<String> domains,
        boolean tlsRequired,
        AddressRanges allowedAddresses,
        int unauthenticatedPerAddress,
        ProxyProtocol proxyProtocol) {}
