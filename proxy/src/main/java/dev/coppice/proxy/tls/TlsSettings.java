package dev.coppice.proxy.tls;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Where the proxy's certificates come from, and whether clients are asked for theirs. */
public sealed interface TlsSettings {

    /**
     * A certificate chain, the server's own first, and its unencrypted key, both PEM.
     *
     * @param key PKCS#8, or in the older forms {@code RSA PRIVATE KEY} and {@code EC PRIVATE KEY}
     */
    record Certificate(Path chain, Path key) {}

    /**
     * Client certificates are asked for, and verified when shown.
     *
     * @param authorities PEM file with the certificates of those who may have issued them
     * @param required whether a client without one is refused
     */
    record ClientCertificates(Path authorities, boolean required) {}

    /** {@code server.crt} and {@code server.key} in this directory, made there if missing. */
    record SelfSigned(Path directory, Optional<ClientCertificates> clients) implements TlsSettings {
        public SelfSigned(Path directory) {
            this(directory, Optional.empty());
        }
    }

    /**
     * These, each for the names in it ({@code *.example.com} stands for one label), the first for all others.
     *
     * @param certificates at least one
     */
    record Files(List<Certificate> certificates, Optional<ClientCertificates> clients) implements TlsSettings {
        /** Checks that there is one. */
        public Files {
            certificates = List.copyOf(certificates);
            if (certificates.isEmpty()) {
                throw new IllegalArgumentException("TLS needs a certificate");
            }
        }

        public Files(Path chain, Path key) {
            this(List.of(new Certificate(chain, key)), Optional.empty());
        }
    }

    /** No TLS: SSLRequest is answered {@code N}. */
    record Off() implements TlsSettings {}
}
