/**
 * The proxy's TLS identity and its handshake: a certificate from files, or a self-signed one made at the first start;
 * the handler for SSLRequest and for direct TLS with ALPN {@code postgresql}; the server name a client asked for. The
 * private key is readable by its owner only, from the moment its file exists.
 *
 * <p>It must not know what a server name means.
 */
@NullMarked
package dev.coppice.proxy.tls;

import org.jspecify.annotations.NullMarked;
