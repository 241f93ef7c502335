package dev.coppice.proxy.session;

import java.time.Duration;
import java.util.List;

/**
 * @param maxConnections sessions at one time; one more is refused
 * @param handshakeTimeout from the connection to the proved password, in all
 * @param domains whose first label names an endpoint or branch
 * @param tlsRequired whether a connection in clear is refused
 */
public record SessionSettings(
        int maxConnections, Duration handshakeTimeout, List<String> domains, boolean tlsRequired) {}
