/**
 * The Postgres wire protocol, as far as a front door needs it: the startup packets, the authentication messages and
 * the few backend messages seen while logging in to a compute
 * (https://www.postgresql.org/docs/current/protocol-message-formats.html). Every length is checked against a limit
 * before anything of that length is kept, and malformed input becomes a value ({@link
 * dev.coppice.proxy.pgwire.ClientMessage.Malformed}), never an exception that escapes into the pipeline.
 *
 * <p>It must not know who is connecting to what: no routing, no passwords, no computes.
 */
@NullMarked
package dev.coppice.proxy.pgwire;

import org.jspecify.annotations.NullMarked;
