package dev.coppice.proxy.tls;

import dev.coppice.proxy.auth.ChannelBinding;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLException;

/** The certificate and key the proxy shows to clients; makes the handlers that speak TLS with them. */
public final class TlsIdentity {
    /** The ALPN protocol of Postgres; direct TLS must name it. */
    public static final String ALPN_POSTGRESQL = "postgresql";

    /** The ALPN protocol of HTTP, which browsers and their like name. */
    public static final String ALPN_HTTP = "http/1.1";

    static final String CERTIFICATE_FILE = "server.crt";
    static final String KEY_FILE = "server.key";

    private final SslContext context;
    private final Optional<ChannelBinding> channelBinding;

    private TlsIdentity(SslContext context, Optional<ChannelBinding> channelBinding) {
        this.context = context;
        this.channelBinding = channelBinding;
    }

    /**
     * Loads the identity, making it first where the settings say so; empty when TLS is off.
     *
     * @throws UncheckedIOException when a file cannot be read or made
     * @throws IllegalStateException when the files are not a certificate and its key
     */
    public static Optional<TlsIdentity> load(TlsSettings settings, Clock clock) {
        return switch (settings) {
            case TlsSettings.Off() -> Optional.empty();
            case TlsSettings.Files(Path certificate, Path key) -> Optional.of(load(certificate, key));
            case TlsSettings.SelfSigned(Path directory) -> {
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
                yield Optional.of(load(certificate, key));
            }
        };
    }

    private static TlsIdentity load(Path certificate, Path key) {
        try (InputStream in = Files.newInputStream(certificate)) {
            X509Certificate own =
                    (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
            SslContext context = SslContextBuilder.forServer(certificate.toFile(), key.toFile())
                    .sslProvider(SslProvider.JDK)
                    .protocols("TLSv1.3", "TLSv1.2")
                    .applicationProtocolConfig(new ApplicationProtocolConfig(
                            ApplicationProtocolConfig.Protocol.ALPN,
                            ApplicationProtocolConfig.SelectorFailureBehavior.FATAL_ALERT,
                            ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                            ALPN_POSTGRESQL,
                            ALPN_HTTP))
                    .build();
            return new TlsIdentity(context, ChannelBinding.of(own));
        } catch (SSLException | CertificateException | IllegalArgumentException e) {
            throw new IllegalStateException(
                    "not a PEM certificate and its unencrypted PKCS#8 key: " + certificate + ", " + key, e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the TLS certificate " + certificate, e);
        }
    }

    /** A handler for one connection. */
    public SslHandler newHandler(ByteBufAllocator alloc, Duration handshakeTimeout) {
        SslHandler handler = context.newHandler(alloc);
        handler.setHandshakeTimeoutMillis(handshakeTimeout.toMillis());
        return handler;
    }

    /** What SCRAM-SHA-256-PLUS binds to, if this certificate allows it. */
    public Optional<ChannelBinding> channelBinding() {
        return channelBinding;
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
