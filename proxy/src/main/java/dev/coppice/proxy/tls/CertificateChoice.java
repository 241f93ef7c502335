package dev.coppice.proxy.tls;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * Answers the JDK's TLS which certificate to show: of those for the server name that the client asked for, the first with a
 * key of the right kind; where none is for that name, the first of all. An alias is a position in the list.
 */
final class CertificateChoice extends X509ExtendedKeyManager {
    private final List<ServerCertificate> certificates;

    CertificateChoice(List<ServerCertificate> certificates) {
        this.certificates = certificates;
    }

    @Override
    public @Nullable String chooseEngineServerAlias(
            String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
        String name = engine == null ? "" : serverName(engine);
        List<ServerCertificate> named =
                certificates.stream().filter(each -> each.isFor(name)).toList();
        return (named.isEmpty() ? certificates.subList(0, 1) : named)
                .stream()
                        .filter(each -> each.key().getAlgorithm().equals(keyType))
                        .findFirst()
                        .map(each -> Integer.toString(certificates.indexOf(each)))
                        .orElse(null);
    }

    private static String serverName(SSLEngine engine) {
        if (engine.getHandshakeSession() instanceof ExtendedSSLSession session) {
            for (SNIServerName each : session.getRequestedServerNames()) {
                if (each instanceof SNIHostName host) {
                    return host.getAsciiName();
                }
            }
        }
        return "";
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
        return certificates.get(Integer.parseInt(alias)).chain().toArray(X509Certificate[]::new);
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
        return certificates.get(Integer.parseInt(alias)).key();
    }

    @Override
    public @Nullable String chooseServerAlias(String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return chooseEngineServerAlias(keyType, issuers, null);
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
        return null;
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
        return null;
    }

    @Override
    public @Nullable String chooseClientAlias(
            String[] keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return null;
    }
}
