package dev.coppice.proxy.tls;

import java.nio.file.Path;

/** Where the proxy's certificate comes from. */
public sealed interface TlsSettings {

    /** {@code server.crt} and {@code server.key} in this directory, made there if missing. */
    record SelfSigned(Path directory) implements TlsSettings {}

    /** A certificate chain, the server's first, and its unencrypted PKCS#8 key, both PEM. */
    record Files(Path certificate, Path key) implements TlsSettings {}

    /** No TLS: SSLRequest is answered {@code N}. */
    record Off() implements TlsSettings {}
}
