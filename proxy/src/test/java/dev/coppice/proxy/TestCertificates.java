package dev.coppice.proxy;

import java.io.IOException;
import java.io.StringWriter;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Date;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A certificate authority for tests. */
final class TestCertificates {
    private static final AtomicLong SERIAL = new AtomicLong(1);
    private static final char[] NO_PASSWORD = new char[0];

    private final X500Name name;
    private final KeyPair keys;
    final X509Certificate certificate;

    /** A certificate with its key. */
    record Issued(X509Certificate certificate, KeyPair keys) {
        /** Writes both in PEM; the key as PKCS#8, or as openssl of old did. */
        void write(Path certificateFile, Path keyFile, boolean oldForm) throws IOException {
            Files.writeString(certificateFile, pem(certificate));
            Files.writeString(
                    keyFile, pem(oldForm ? keys.getPrivate() : new JcaPKCS8Generator(keys.getPrivate(), null)));
        }

        /** For a TLS client that shows this certificate. */
        KeyManager[] keyManagers() throws Exception {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            store.setKeyEntry("client", keys.getPrivate(), NO_PASSWORD, new Certificate[] {certificate});
            KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            factory.init(store, NO_PASSWORD);
            return factory.getKeyManagers();
        }
    }

    TestCertificates(String commonName) throws Exception {
        name = new X500Name("CN=" + commonName);
        keys = keyPair("EC");
        certificate = sign(name, keys, true, Duration.ofDays(1));
    }

    private static KeyPair keyPair(String algorithm) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
        generator.initialize(algorithm.equals("EC") ? 256 : 2048);
        return generator.generateKeyPair();
    }

    /**
     * @param algorithm of the key: EC or RSA
     * @param validity from yesterday on
     */
    Issued issue(String algorithm, String commonName, Duration validity, String... dnsNames) throws Exception {
        KeyPair pair = keyPair(algorithm);
        return new Issued(sign(new X500Name("CN=" + commonName), pair, false, validity, dnsNames), pair);
    }

    private X509Certificate sign(X500Name subject, KeyPair of, boolean authority, Duration validity, String... dnsNames)
            throws Exception {
        Instant yesterday = Instant.now().minus(Duration.ofDays(1));
        JcaX509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                name,
                BigInteger.valueOf(SERIAL.getAndIncrement()),
                Date.from(yesterday),
                Date.from(yesterday.plus(Duration.ofDays(1)).plus(validity)),
                subject,
                of.getPublic());
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
        if (dnsNames.length > 0) {
            builder.addExtension(
                    Extension.subjectAlternativeName,
                    false,
                    new GeneralNames(Arrays.stream(dnsNames)
                            .map(each -> new GeneralName(GeneralName.dNSName, each))
                            .toArray(GeneralName[]::new)));
        }
        return new JcaX509CertificateConverter()
                .getCertificate(builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate())));
    }

    static String pem(Object object) throws IOException {
        StringWriter text = new StringWriter();
        try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
            writer.writeObject(object);
        }
        return text.toString();
    }
}
