package dev.coppice.proxy.session;

import io.netty.channel.WriteBufferWaterMark;
import java.time.Duration;
import java.util.List;

/**
 * @param maxConnections sessions at one time; one more is refused
 * @param handshakeTimeout from the connection to the proved password, in all
 * @param wakeTimeout from there to the session, in all
 * @param domains whose first label names an endpoint or branch
 * @param tlsRequired whether a connection in clear is refused
 * @param waterMark bytes waiting to be written at which the other side is not read on
 */
public record SessionSettings(
        int maxConnections,
        Duration handshakeTimeout,
        Duration wakeTimeout,
        List<String> domains,
        boolean tlsRequired,
        WriteBufferWaterMark waterMark) {}
