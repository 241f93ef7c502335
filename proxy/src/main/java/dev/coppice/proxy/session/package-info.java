/**
 * The life of one client connection, a handler per phase: {@code StartupHandler} (encryption, cancel, startup
 * packet, route), {@code AuthenticationHandler} (SCRAM), {@code HoldHandler} (wake the compute, log in to it, the
 * client waiting), then {@link dev.coppice.proxy.relay.Relay}. Each phase replaces itself in the pipeline by the next.
 *
 * <p>What must stay true: nothing is woken for a client that has not proved its password; before that a client
 * occupies a bounded amount of memory for a bounded time; every connection ends in exactly one log line and one
 * outcome. It reaches the rest of the system only through {@link dev.coppice.proxy.route.EndpointDirectory}.
 */
@NullMarked
package dev.coppice.proxy.session;

import org.jspecify.annotations.NullMarked;
