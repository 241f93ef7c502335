package dev.coppice.proxy.relay;

import dev.coppice.proxy.auth.Nonces;
import dev.coppice.proxy.route.EndpointDirectory;
import io.netty.channel.WriteBufferWaterMark;
import java.time.Duration;

/**
 * What it takes to get at a compute.
 *
 * @param wakeTimeout from asking for it until it has accepted the login
 * @param waterMark bytes waiting to be written at which the other side is not read on
 */
public record ComputeAccess(
        EndpointDirectory directory,
        ComputeConnector connector,
        Nonces nonces,
        Duration wakeTimeout,
        WriteBufferWaterMark waterMark) {}
