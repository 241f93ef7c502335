/**
 * Pooled endpoints ({@code <endpoint id>-pooler}): clients share server connections, one of which belongs to a client
 * for as long as a transaction lasts.
 *
 * <p>What must stay true: everything of one endpoint's pool happens on one event loop, its home, where clients move
 * after their login, so there are no locks. A server connection serves one client at a time and goes back only between
 * transactions, with nothing outstanding and no trace of the session; where a trace cannot be avoided the client is
 * pinned: it keeps the connection. Requests and replies stay in order and are paired exactly. What waits is bounded.
 * A client without a transaction survives its compute's sleep.
 *
 * <p>It must not know how clients arrive or log in, nor routes; it gets a proved role and a channel.
 */
@NullMarked
package dev.coppice.proxy.pool;

import org.jspecify.annotations.NullMarked;
