package dev.coppice.proxy.tls;

import dev.coppice.proxy.auth.ChannelBinding;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;

/** The certificates and keys the proxy shows to clients; makes the handlers that speak TLS with them. */
public final class TlsIdentity {
    /** The ALPN protocol of Postgres; direct TLS must name it. */
    public static final String ALPN_POSTGRESQL = "postgresql";

    /** The ALPN protocol of HTTP, which browsers and their like name. */
    public static final String ALPN_HTTP = "http/1.1";

    static final String CERTIFICATE_FILE = "server.crt";
    static final String KEY_FILE = "server.key";

    /** BoringSSL costs a third to two thirds less processor time than the JDK's TLS, which serves where it cannot be loaded. */
    private static final SslProvider PROVIDER = OpenSsl.isAvailable() ? SslProvider.OPENSSL : SslProvider.JDK;

    private final SslContext context;

    private TlsIdentity(SslContext context) {
        this.context = context;
    }

    /**
     * Loads the identity, making it first where the settings say so; empty when TLS is off.
     *
     * @throws UncheckedIOException when a file cannot be read or made
     * @throws IllegalStateException when the files are not certificates and their keys
     */
    public static Optional<TlsIdentity> load(TlsSettings settings, Clock clock) {
        return switch (settings) {
            case TlsSettings.Off() -> Optional.empty();
            case TlsSettings.Files(List<TlsSettings.Certificate> certificates, var clients) ->
                Optional.of(load(certificates, clients));
            case TlsSettings.SelfSigned(Path directory, var clients) -> {
                Path certificate = directory.resolve(CERTIFICATE_FILE);
                Path key = directory.resolve(KEY_FILE);
                if (!Files.exists(certificate)) {
                    try {
                        Files.createDirectories(directory);
                    } catch (IOException e) {
                        throw new UncheckedIOException("cannot make the TLS directory " + directory, e);
                    }
                    SelfSignedCertificate.create(certificate, key, clock);
                }
                yield Optional.of(load(List.of(new TlsSettings.Certificate(certificate, key)), clients));
            }
        };
    }

    private static TlsIdentity load(
            List<TlsSettings.Certificate> files, Optional<TlsSettings.ClientCertificates> clients) {
        List<ServerCertificate> certificates =
                files.stream().map(ServerCertificate::load).toList();
        SslContextBuilder builder = SslContextBuilder.forServer(new CertificateChoice(certificates))
                .sslProvider(PROVIDER)
                .protocols("TLSv1.3", "TLSv1.2")
                .applicationProtocolConfig(new ApplicationProtocolConfig(
                        ApplicationProtocolConfig.Protocol.ALPN,
                        ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                        ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                        ALPN_POSTGRESQL,
                        ALPN_HTTP));
        clients.ifPresent(asked -> builder.clientAuth(asked.required() ? ClientAuth.REQUIRE : ClientAuth.OPTIONAL)
                .trustManager(ServerCertificate.certificates(asked.authorities())));
        try {
            return new TlsIdentity(builder.build());
        } catch (SSLException e) {
            throw new IllegalStateException("TLS cannot be set up with " + files, e);
        }
    }

    /** A handler for one connection. */
    public SslHandler newHandler(ByteBufAllocator alloc, Duration handshakeTimeout) {
        SslHandler handler = context.newHandler(alloc);
        handler.setHandshakeTimeoutMillis(handshakeTimeout.toMillis());
        return handler;
    }

    /**
     * What SCRAM-SHA-256-PLUS binds to, if the certificate shown allows it; valid once the handshake is done. A later
     * identity may have another.
     */
    public static Optional<ChannelBinding> channelBinding(SslHandler handler) {
        Certificate[] shown = handler.engine().getSession().getLocalCertificates();
        return shown != null && shown.length > 0 && shown[0] instanceof X509Certificate own
                ? ChannelBinding.of(own)
                : Optional.empty();
    }

    /** Whom the client's certificate names; empty when it has shown none. Valid once the handshake is done. */
    public static Optional<String> clientName(SslHandler handler) {
        try {
            return Optional.of(handler.engine().getSession().getPeerPrincipal().getName());
        } catch (SSLPeerUnverifiedException _) {
            return Optional.empty();
        }
    }

    /** The server name (SNI) the client asked for; valid once the handshake is done. */
    public static Optional<String> serverName(SslHandler handler) {
        if (handler.engine().getSession() instanceof ExtendedSSLSession session) {
            for (SNIServerName name : session.getRequestedServerNames()) {
                if (name instanceof SNIHostName host) {
                    return Optional.of(host.getAsciiName());
                }
            }
        }
        return Optional.empty();
    }
}
