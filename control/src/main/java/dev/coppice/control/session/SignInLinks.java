package dev.coppice.control.session;

import dev.coppice.control.error.ControlException;
import dev.coppice.control.secret.Tokens;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Secrets that sign a browser in once, within a minute, as the API key that asked for them: for a link that a terminal opens. They
 * live in memory only, by their hashes, at most {@value #MOST}. Thread-safe.
 */
public final class SignInLinks {
    /** How long a link is good. */
    public static final Duration LIFE = Duration.ofSeconds(60);

    static final int MOST = 1000;

    private final Tokens tokens;
    private final Clock clock;
    private final Map<ByteBuffer, Link> links = new ConcurrentHashMap<>();

    public SignInLinks(Tokens tokens, Clock clock) {
        this.tokens = tokens;
        this.clock = clock;
    }

    private record Link(long keyId, Instant expiresAt) {}

    /** A new link's secret, and until when it is good. */
    public record Made(String secret, Instant expiresAt) {}

    /** @throws ControlException TOO_MANY when very many wait to be used */
    public Made make(long keyId) {
        Instant now = clock.instant();
        links.values().removeIf(link -> !now.isBefore(link.expiresAt()));
        if (links.size() >= MOST) {
            throw new ControlException(
                    ControlException.Kind.TOO_MANY, "too many sign-in links wait to be used; try again in a minute");
        }
        String secret = tokens.link();
        Instant expiresAt = now.plus(LIFE);
        links.put(ByteBuffer.wrap(Tokens.hash(secret)), new Link(keyId, expiresAt));
        return new Made(secret, expiresAt);
    }

    /** The API key that asked for a link, which is used up with that; empty when it was used, is too old, or never was. */
    public Optional<Long> redeem(String secret) {
        return Optional.ofNullable(links.remove(ByteBuffer.wrap(Tokens.hash(secret))))
                .filter(link -> clock.instant().isBefore(link.expiresAt()))
                .map(Link::keyId);
    }
}
