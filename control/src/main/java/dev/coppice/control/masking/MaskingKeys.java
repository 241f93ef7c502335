package dev.coppice.control.masking;

import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.rows.MaskingRows;
import dev.coppice.control.catalog.rows.MaskingRows.SealedKey;
import dev.coppice.control.secret.SecretBox;
import dev.coppice.masking.crypto.MaskKey;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Base64;

/** The secrets that values are masked under: one for each project, made when it is first needed, sealed wherever it is stored. */
public final class MaskingKeys {
    private final Catalog catalog;
    private final SecretBox secrets;
    private final SecureRandom random;

    public MaskingKeys(Catalog catalog, SecretBox secrets, SecureRandom random) {
        this.catalog = catalog;
        this.secrets = secrets;
        this.random = random;
    }

    /** The project's key. */
    public SealedKey of(String projectId, Instant now) {
        return catalog.transaction(connection -> {
            if (MaskingRows.key(connection, projectId).isEmpty()) {
                byte[] secret = new byte[MaskKey.MIN_LENGTH];
                random.nextBytes(secret);
                byte[] id = new byte[6];
                random.nextBytes(id);
                byte[] sealed = secrets.seal(Base64.getEncoder().encodeToString(secret), context(projectId));
                MaskingRows.insertKey(
                        connection,
                        projectId,
                        new SealedKey(
                                "key-" + java.util.HexFormat.of().formatHex(id),
                                Base64.getEncoder().encodeToString(sealed)),
                        now);
            }
            return MaskingRows.key(connection, projectId).orElseThrow();
        });
    }

    /** The project's key, opened. */
    public MaskKey opened(String projectId, Instant now) {
        SealedKey sealed = of(projectId, now);
        return open(secrets, projectId, sealed.id(), sealed.sealed());
    }

    /**
     * Opens a sealed key.
     *
     * @throws dev.coppice.control.error.ControlException when it was sealed for another project or with another key file
     */
    public static MaskKey open(SecretBox secrets, String projectId, String keyId, String sealed) {
        String secret = secrets.open(Base64.getDecoder().decode(sealed), context(projectId));
        return new MaskKey(keyId, Base64.getDecoder().decode(secret));
    }

    private static String context(String projectId) {
        return "masking:" + projectId;
    }
}
