package dev.coppice.control.role;

import dev.coppice.control.secret.ScramVerifier;
import dev.coppice.control.secret.SecretBox;
import dev.coppice.control.secret.Tokens;
import java.security.SecureRandom;

/** Makes the passwords of roles, and seals those that the catalog stores. Thread-safe. */
public final class RolePasswords {
    private final SecretBox secrets;
    private final Tokens tokens;
    private final SecureRandom random;

    /** @param random for salts */
    public RolePasswords(SecretBox secrets, Tokens tokens, SecureRandom random) {
        this.secrets = secrets;
        this.tokens = tokens;
        this.random = random;
    }

    /** A password that nobody had. */
    public String fresh() {
        return tokens.password();
    }

    /** What Postgres stores of a password, with a fresh salt. */
    public String verifier(String password) {
        return ScramVerifier.create(password, random);
    }

    /** What the catalog stores. It goes with the role's name: a child has the same name and password as its parent. */
    public byte[] seal(String role, String password) {
        return secrets.seal(password, context(role));
    }

    public String open(String role, byte[] sealed) {
        return secrets.open(sealed, context(role));
    }

    private static String context(String role) {
        return "role:" + role;
    }
}
