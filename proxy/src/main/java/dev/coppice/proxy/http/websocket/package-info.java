/** WebSockets: the handshake, and frames as a stream of bytes. */
@NullMarked
package dev.coppice.proxy.http.websocket;

import org.jspecify.annotations.NullMarked;
