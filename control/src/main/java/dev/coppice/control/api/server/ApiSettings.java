package dev.coppice.control.api.server;

import dev.coppice.common.http.HostNames;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Optional;

/**
 * How the REST API is served.
 *
 * @param listen where it listens; port 0 takes a free one
 * @param tls certificate and key; absent = plain HTTP
 * @param allowPlainHttp whether plain HTTP may be served beyond the loopback interface
 * @param hosts what it may be called in a request
 * @param requestsPerKeyPerSecond above which a key's requests are refused; 0 = no limit
 * @param failuresPerAddressPerMinute wrong keys above which an address is refused; 0 = no limit
 */
public record ApiSettings(
        InetSocketAddress listen,
        Optional<Tls> tls,
        boolean allowPlainHttp,
        HostNames hosts,
        int requestsPerKeyPerSecond,
        int failuresPerAddressPerMinute) {
    /** PEM files: the chain, server certificate first, and the unencrypted PKCS #8 key. */
    public record Tls(Path certificate, Path key) {}

    /** Plain HTTP with the usual limits. */
    public static ApiSettings plain(InetSocketAddress listen) {
        return new ApiSettings(listen, Optional.empty(), false, HostNames.any(), 1_000, 100);
    }
}
