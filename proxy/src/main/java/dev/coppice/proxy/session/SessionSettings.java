package dev.coppice.proxy.session;

import dev.coppice.proxy.limit.AddressRanges;
import java.time.Duration;
import java.util.List;

/**
 * @param maxConnections sessions at one time; one more is refused
 * @param handshakeTimeout from the connection to the proved password, in all
 * @param domains whose first label names an endpoint or branch
 * @param tlsRequired whether a connection in clear is refused
 * @param allowedAddresses from where one may log in
 */
public record SessionSettings(
        int maxConnections,
        Duration handshakeTimeout,
        List<String> domains,
        boolean tlsRequired,
        AddressRanges allowedAddresses) {}
