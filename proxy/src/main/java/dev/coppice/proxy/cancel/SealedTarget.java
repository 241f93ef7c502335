package dev.coppice.proxy.cancel;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.coppice.proxy.pgwire.CancelKey;
import dev.coppice.proxy.route.ComputeSocket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Optional;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Puts what a cancel key stands for into the secret that the client keeps, encrypted and authenticated, so that it is
 * understood by every proxy with the same server secret: after a restart too. AES-256-GCM with the process id as
 * associated data; safe on any thread.
 *
 * <pre>
 * Byte1 version (2) | Byte[12] nonce | encrypted | Byte[16] tag
 *   encrypted: Byte1 length of the compute's secret, the secret, Int32 user and Int64 process of the compute, the path of its
 *   socket in UTF-8
 * </pre>
 */
final class SealedTarget {
    private static final byte VERSION = 2;
    private static final int PEER_BYTES = Integer.BYTES + Long.BYTES;
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BYTES = 16;
    private static final int OVERHEAD_BYTES = 1 + NONCE_BYTES + TAG_BYTES;
    private static final String CIPHER = "AES/GCM/NoPadding";

    private final SecretKey key;
    private final SecureRandom random;

    /** @param secret the server's; other uses of it stay independent of this one */
    SealedTarget(byte[] secret, SecureRandom random) {
        this.random = random;
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret, "HmacSHA256"));
            this.key = new SecretKeySpec(mac.doFinal("coppice proxy: cancel keys".getBytes(UTF_8)), "AES");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has HMAC-SHA-256", e);
        }
    }

    /** The key for the client; empty when it would be longer than the protocol allows. */
    Optional<CancelKey> seal(CancelTarget.Backend target) {
        byte[] path = target.socket().path().toString().getBytes(UTF_8);
        byte[] secret = target.key().secret();
        if (OVERHEAD_BYTES + 1 + secret.length + PEER_BYTES + path.length > CancelKey.MAX_SECRET_BYTES
                || secret.length > 0xFF) {
            return Optional.empty();
        }
        byte[] plain = ByteBuffer.allocate(1 + secret.length + PEER_BYTES + path.length)
                .put((byte) secret.length)
                .put(secret)
                .putInt(target.socket().uid())
                .putLong(target.socket().pid())
                .put(path)
                .array();
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        int processId = target.key().processId();
        try {
            byte[] encrypted = cipher(Cipher.ENCRYPT_MODE, nonce, processId).doFinal(plain);
            return Optional.of(new CancelKey(
                    processId,
                    ByteBuffer.allocate(1 + NONCE_BYTES + encrypted.length)
                            .put(VERSION)
                            .put(nonce)
                            .put(encrypted)
                            .array()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a cancel key cannot be sealed", e);
        }
    }

    /** What a key stands for; empty when it is not one of ours. */
    Optional<CancelTarget> open(CancelKey sealed) {
        byte[] secret = sealed.secret();
        if (secret.length <= OVERHEAD_BYTES || secret[0] != VERSION) {
            return Optional.empty();
        }
        try {
            byte[] nonce = Arrays.copyOfRange(secret, 1, 1 + NONCE_BYTES);
            byte[] plain = cipher(Cipher.DECRYPT_MODE, nonce, sealed.processId())
                    .doFinal(secret, 1 + NONCE_BYTES, secret.length - 1 - NONCE_BYTES);
            int secretEnd = 1 + Byte.toUnsignedInt(plain[0]);
            ByteBuffer peer = ByteBuffer.wrap(plain, secretEnd, PEER_BYTES);
            int pathStart = secretEnd + PEER_BYTES;
            ComputeSocket socket = new ComputeSocket(
                    Path.of(new String(plain, pathStart, plain.length - pathStart, UTF_8)),
                    peer.getInt(),
                    peer.getLong());
            return Optional.of(new CancelTarget.Backend(
                    socket, new CancelKey(sealed.processId(), Arrays.copyOfRange(plain, 1, secretEnd))));
        } catch (AEADBadTagException _) {
            return Optional.empty();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a cancel key cannot be opened", e);
        }
    }

    private Cipher cipher(int mode, byte[] nonce, int processId) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance(CIPHER);
        try {
            cipher.init(mode, key, new GCMParameterSpec(TAG_BYTES * Byte.SIZE, nonce));
        } catch (InvalidKeyException e) {
            throw new IllegalStateException("every JDK has AES-256", e);
        }
        cipher.updateAAD(ByteBuffer.allocate(Integer.BYTES).putInt(processId).array());
        return cipher;
    }
}
