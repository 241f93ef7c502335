package dev.coppice.proxy.tls;

import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;

/**
 * A certificate chain with its key, as read from its files.
 *
 * @param chain the server's own first
 * @param names the DNS names it is for, in lower case
 */
record ServerCertificate(List<X509Certificate> chain, PrivateKey key, List<String> names) {
    private static final int DNS_NAME = 2;
    private static final String WILDCARD = "*.";
    /** By algorithm of the key: one that signs with it. */
    private static final Map<String, String> SIGNATURES =
            Map.of("RSA", "SHA256withRSA", "EC", "SHA256withECDSA", "EdDSA", "EdDSA");

    /**
     * @throws UncheckedIOException when a file cannot be read
     * @throws IllegalStateException when they are not a certificate and its key
     */
    static ServerCertificate load(TlsSettings.Certificate files) {
        List<X509Certificate> chain = certificates(files.chain());
        try {
            X509Certificate own = chain.getFirst();
            PrivateKey key = key(files.key());
            requireMatch(own, key);
            return new ServerCertificate(chain, key, names(own));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IllegalStateException(
                    "not a PEM certificate and its unencrypted key: " + files.chain() + ", " + files.key(), e);
        }
    }

    /** All certificates of a PEM file; throws as {@link #load}. */
    static List<X509Certificate> certificates(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            Collection<? extends Certificate> all =
                    CertificateFactory.getInstance("X.509").generateCertificates(in);
            if (all.isEmpty()) {
                throw new IllegalStateException("no PEM certificate: " + file);
            }
            return all.stream().map(X509Certificate.class::cast).toList();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("not a PEM certificate: " + file, e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the TLS certificate " + file, e);
        }
    }

    private static PrivateKey key(Path file) throws GeneralSecurityException {
        try (Reader text = Files.newBufferedReader(file);
                PEMParser parser = new PEMParser(text)) {
            for (Object found = parser.readObject(); found != null; found = parser.readObject()) {
                PrivateKeyInfo info = switch (found) {
                    case PrivateKeyInfo plain -> plain;
                    case PEMKeyPair pair -> pair.getPrivateKeyInfo();
                    default -> null;
                };
                if (info != null) {
                    return key(info);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the TLS key " + file, e);
        }
        throw new IllegalArgumentException("no private key in " + file);
    }

    private static PrivateKey key(PrivateKeyInfo info) throws GeneralSecurityException, IOException {
        GeneralSecurityException refused = new GeneralSecurityException("a key of an unknown algorithm");
        for (String algorithm : SIGNATURES.keySet()) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(info.getEncoded()));
            } catch (GeneralSecurityException e) {
                refused.addSuppressed(e);
            }
        }
        throw refused;
    }

    /** A renewal may have written one of the two files only. */
    private static void requireMatch(X509Certificate certificate, PrivateKey key) throws GeneralSecurityException {
        Signature signature = Signature.getInstance(SIGNATURES.getOrDefault(key.getAlgorithm(), ""));
        byte[] probe = {1};
        signature.initSign(key);
        signature.update(probe);
        byte[] signed = signature.sign();
        signature.initVerify(certificate.getPublicKey());
        signature.update(probe);
        if (!signature.verify(signed)) {
            throw new GeneralSecurityException("the key is not that of the certificate");
        }
    }

    private static List<String> names(X509Certificate certificate) throws CertificateParsingException {
        List<String> names = new ArrayList<>();
        for (List<?> each :
                Optional.ofNullable(certificate.getSubjectAlternativeNames()).orElse(List.of())) {
            if (each.get(0).equals(DNS_NAME)) {
                names.add(each.get(1).toString().toLowerCase(Locale.ROOT));
            }
        }
        return names;
    }

    /** Whether it is for this name; {@code *.example.com} is for a name with one label more than {@code example.com}. */
    boolean isFor(String serverName) {
        String name = serverName.toLowerCase(Locale.ROOT);
        int dot = name.indexOf('.');
        return names.contains(name) || (dot > 0 && names.contains(WILDCARD + name.substring(dot + 1)));
    }
}
