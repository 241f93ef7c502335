/**
 * Cancel keys: which session of which compute a CancelRequest means. A short key is known exactly as long as its session,
 * a long one carries its route and outlives the proxy; the compute itself refuses those of sessions that have ended. A
 * request is passed on to the compute's socket as it stands, and never starts anything.
 */
@NullMarked
package dev.coppice.proxy.cancel;

import org.jspecify.annotations.NullMarked;
