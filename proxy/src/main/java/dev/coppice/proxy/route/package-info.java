/**
 * Where a connection wants to go: the hints in its startup packet and TLS handshake, and {@link
 * dev.coppice.proxy.route.EndpointDirectory}, the proxy's only window on the rest of the system. Hints that disagree
 * are an error, never a guess; a name that nobody has is not an error here but {@link
 * dev.coppice.proxy.route.Route.Unknown}, so that it can be made to look like a wrong password.
 *
 * <p>It must not know channels, passwords or computes.
 */
@NullMarked
package dev.coppice.proxy.route;

import org.jspecify.annotations.NullMarked;
