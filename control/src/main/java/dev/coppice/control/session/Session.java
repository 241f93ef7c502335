package dev.coppice.control.session;

import java.time.Duration;
import java.time.Instant;

/**
 * A browser that is signed in: it may do what its API key may, as long as that is valid. Its secret is not here; only its hash is stored.
 *
 * @param id a number to name it by, no secret
 * @param lastUsedAt to a minute or so
 * @param address from where it was begun
 * @param client what the browser calls itself, cut; not to be trusted
 */
public record Session(long id, long keyId, Instant createdAt, Instant lastUsedAt, String address, String client) {
    /** Unused for so long, it ends. */
    public static final Duration IDLE = Duration.ofHours(12);

    /** However much it is used, it ends. */
    public static final Duration LONGEST = Duration.ofDays(7);

    /** When it ends if it is not used any more. */
    public Instant expiresAt() {
        Instant idle = lastUsedAt.plus(IDLE);
        Instant longest = createdAt.plus(LONGEST);
        return idle.isBefore(longest) ? idle : longest;
    }

    boolean isOver(Instant now) {
        return !now.isBefore(expiresAt());
    }

    Session usedAt(Instant now) {
        return new Session(id, keyId, createdAt, now, address, client);
    }
}
