/**
 * Cancel keys: which session of which compute a CancelRequest means. A key is known exactly as long as its session;
 * a request is passed on to the compute's socket as it stands, and never starts anything.
 */
@NullMarked
package dev.coppice.proxy.cancel;

import org.jspecify.annotations.NullMarked;
