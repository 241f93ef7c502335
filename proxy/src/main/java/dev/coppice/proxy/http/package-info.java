/**
 * SQL over HTTP ({@code POST /sql}) and the wire protocol inside a WebSocket ({@code /v2}), as npm's
 * {@code @neondatabase/serverless} speaks them.
 *
 * <p>{@code RequestHandler} takes the requests of one connection, one after the other, and asks the {@link
 * dev.coppice.proxy.http.Gate} whether the one who sends them may log in, before their body is read. An {@code
 * Exchange} then is a client of the endpoint's pool for as long as the request takes: through an {@code InnerChannel},
 * whose other end is no socket but the exchange, it sends the statements and turns what comes back into JSON.
 *
 * <p>What must stay true: nothing is woken, and no body is kept, before the password is proved; a request finds a
 * server session as a login would make it; a request whose client has gone is cancelled; request and response are
 * bounded.
 *
 * <p>It must not know routes, verifiers or rate limits: that is the gate's.
 */
@NullMarked
package dev.coppice.proxy.http;

import org.jspecify.annotations.NullMarked;
