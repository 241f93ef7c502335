/**
 * The compute's side of a session: connecting to its Unix socket, logging in with the client's recovered key, and
 * then moving bytes both ways. A relay parses nothing and copies nothing; a side that is not drained stops the other
 * from being read. Both channels of a session live on one event loop, so their state needs no locks.
 *
 * <p>It must not know how the compute was found, nor who the client is beyond its startup parameters.
 */
@NullMarked
package dev.coppice.proxy.relay;

import org.jspecify.annotations.NullMarked;
