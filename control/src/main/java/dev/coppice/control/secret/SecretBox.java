package dev.coppice.control.secret;

import dev.coppice.control.error.ControlException;
import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Objects;
import java.util.Set;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Seals small texts with AES-256-GCM. A sealed text is {@code version (1 byte) | nonce (12) | ciphertext and tag}; the
 * context (what the secret belongs to) is authenticated with it, so a sealed password cannot be moved to another role.
 */
public final class SecretBox {
    private static final int KEY_BYTES = 32;
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;
    private static final byte VERSION = 1;

    private final SecretKey key;
    private final SecureRandom random;

    private SecretBox(byte[] key, SecureRandom random) {
        this.key = new SecretKeySpec(key, "AES");
        this.random = random;
    }

    /**
     * Reads the key file, or makes it (mode 0600, durable before it is used) when it does not exist.
     *
     * @throws ControlException when the file exists and is not a key
     */
    public static SecretBox open(Path keyFile, SecureRandom random) throws IOException {
        if (!Files.exists(keyFile)) {
            byte[] fresh = new byte[KEY_BYTES];
            random.nextBytes(fresh);
            Path temporary = keyFile.resolveSibling(keyFile.getFileName() + ".new");
            Files.deleteIfExists(temporary);
            try (FileChannel channel = FileChannel.open(
                    temporary,
                    Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
                ByteBuffer bytes = ByteBuffer.wrap(fresh);
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            Files.move(temporary, keyFile, StandardCopyOption.ATOMIC_MOVE);
            DurableFiles.syncDirectory(
                    Objects.requireNonNull(keyFile.toAbsolutePath().getParent()));
        }
        byte[] key = Files.readAllBytes(keyFile);
        if (key.length != KEY_BYTES) {
            throw new ControlException(
                    ControlException.Kind.INTERNAL,
                    "the key file " + keyFile + " has " + key.length + " bytes instead of " + KEY_BYTES
                            + "; restore it from a backup, stored passwords cannot be read without it");
        }
        return new SecretBox(key, random);
    }

    /** Encrypts {@code plain}; {@code context} must be given again to {@link #open(byte[], String)}. */
    public byte[] seal(String plain, String context) {
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        byte[] body = run(Cipher.ENCRYPT_MODE, nonce, context, plain.getBytes(StandardCharsets.UTF_8));
        return ByteBuffer.allocate(1 + NONCE_BYTES + body.length)
                .put(VERSION)
                .put(nonce)
                .put(body)
                .array();
    }

    /**
     * Decrypts what {@link #seal} made.
     *
     * @throws ControlException when it was changed, sealed with another key or for another context
     */
    public String open(byte[] sealed, String context) {
        if (sealed.length < 1 + NONCE_BYTES + TAG_BITS / 8 || sealed[0] != VERSION) {
            throw new ControlException(ControlException.Kind.INTERNAL, "a stored password is damaged; reset it");
        }
        byte[] nonce = new byte[NONCE_BYTES];
        byte[] body = new byte[sealed.length - 1 - NONCE_BYTES];
        ByteBuffer.wrap(sealed, 1, sealed.length - 1).get(nonce).get(body);
        return new String(run(Cipher.DECRYPT_MODE, nonce, context, body), StandardCharsets.UTF_8);
    }

    private byte[] run(int mode, byte[] nonce, String context, byte[] input) {
        try {
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
            cipher.updateAAD(context.getBytes(StandardCharsets.UTF_8));
            return cipher.doFinal(input);
        } catch (GeneralSecurityException e) {
            throw new ControlException(
                    ControlException.Kind.INTERNAL,
                    "a stored password cannot be decrypted with the current key file; reset it",
                    e);
        }
    }
}
