/**
 * The proxy's TLS identity and its handshake: certificates from files, chosen by the server name, or a self-signed one made at
 * the first start; client certificates, where they are asked for; the handler for SSLRequest and for direct TLS with ALPN {@code postgresql}; the server name a client asked for. The
 * private key is readable by its owner only, from the moment its file exists.
 *
 * <p>It must not know what a server name means.
 */
@NullMarked
package dev.coppice.proxy.tls;

import org.jspecify.annotations.NullMarked;
