/**
 * The front door: {@link dev.coppice.proxy.ProxyServer} listens for Postgres clients, finds out where they want to
 * go, checks their passwords, has the compute woken, and relays. It knows the rest of Coppice only as {@link
 * dev.coppice.proxy.route.EndpointDirectory}, which the server hands to it.
 */
@NullMarked
package dev.coppice.proxy;

import org.jspecify.annotations.NullMarked;
