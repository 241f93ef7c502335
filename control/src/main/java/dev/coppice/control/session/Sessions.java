package dev.coppice.control.session;

import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.rows.SessionRows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.secret.Tokens;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sessions of the console. They are in the catalog, by the hash of their secrets, and in memory, so that a request waits for
 * nothing. Of one API key there are at most {@value #MOST_OF_A_KEY}: a further one ends the one that was unused for longest. Thread-safe.
 */
public final class Sessions {
    static final int MOST_OF_A_KEY = 50;

    private static final Logger log = LoggerFactory.getLogger(Sessions.class);
    private static final Duration NOTE_INTERVAL = Duration.ofMinutes(1);
    private static final int CLIENT_MAX_CHARACTERS = 200;

    private final Catalog catalog;
    private final Tokens tokens;
    private final Clock clock;
    private final Map<ByteBuffer, Session> byHash = new ConcurrentHashMap<>();

    private Sessions(Catalog catalog, Tokens tokens, Clock clock) {
        this.catalog = catalog;
        this.tokens = tokens;
        this.clock = clock;
    }

    /**
     * A new session.
     *
     * @param secret which the browser keeps, and which is not known here afterwards
     */
    public record Begun(Session session, String secret) {}

    /** Those that did not end since they were stored. */
    public static Sessions open(Catalog catalog, Tokens tokens, Clock clock) {
        Sessions sessions = new Sessions(catalog, tokens, clock);
        catalog.transaction(SessionRows::all)
                .forEach(row -> sessions.byHash.put(ByteBuffer.wrap(row.hash()), session(row)));
        sessions.dropEnded();
        return sessions;
    }

    /**
     * Signs somebody in who has shown the API key.
     *
     * @throws ControlException when the key was revoked meanwhile
     */
    public Begun begin(long keyId, String address, String client) {
        dropEnded();
        String secret = tokens.session();
        byte[] hash = Tokens.hash(secret);
        String shown = client.length() > CLIENT_MAX_CHARACTERS ? client.substring(0, CLIENT_MAX_CHARACTERS) : client;
        Session session = session(
                catalog.transaction(connection -> SessionRows.insert(connection, hash, keyId, now(), address, shown)));
        byHash.put(ByteBuffer.wrap(hash), session);
        byHash.values().stream()
                .filter(each -> each.keyId() == keyId)
                .sorted(Comparator.comparing(Session::lastUsedAt)
                        .thenComparingLong(Session::id)
                        .reversed())
                .skip(MOST_OF_A_KEY)
                .forEach(each -> end(each.id()));
        return new Begun(session, secret);
    }

    /** The session with this secret, which is used with that; empty when there is none, or it is over. */
    public Optional<Session> use(String secret) {
        ByteBuffer hash = ByteBuffer.wrap(Tokens.hash(secret));
        Session session = byHash.get(hash);
        if (session == null) {
            return Optional.empty();
        }
        Instant now = now();
        if (session.isOver(now)) {
            end(session.id());
            return Optional.empty();
        }
        if (session.lastUsedAt().plus(NOTE_INTERVAL).isBefore(now)) {
            byHash.replace(hash, session, session.usedAt(now));
            note(session.id(), now);
        }
        return Optional.of(session);
    }

    /** All that are not over, the last one used first. */
    public List<Session> list() {
        Instant now = now();
        return byHash.values().stream()
                .filter(session -> !session.isOver(now))
                .sorted(Comparator.comparing(Session::lastUsedAt)
                        .thenComparingLong(Session::id)
                        .reversed())
                .toList();
    }

    /** Ends a session; empty when there is none. */
    public Optional<Session> end(long id) {
        Optional<Map.Entry<ByteBuffer, Session>> found = byHash.entrySet().stream()
                .filter(entry -> entry.getValue().id() == id)
                .findFirst();
        // First here: whatever becomes of the row, it opens nothing any more.
        found.ifPresent(entry -> byHash.remove(entry.getKey()));
        catalog.transaction(connection -> SessionRows.delete(connection, id));
        return found.map(Map.Entry::getValue);
    }

    private void dropEnded() {
        Instant now = now();
        byHash.values().stream().filter(session -> session.isOver(now)).forEach(session -> end(session.id()));
    }

    /** A request must not wait for that. */
    private void note(long id, Instant now) {
        Thread.ofVirtual().name("session-use").start(() -> {
            try {
                catalog.transaction(connection -> SessionRows.used(connection, id, now));
            } catch (ControlException e) {
                log.debug("The use of session {} was not noted: {}", id, e.getMessage());
            }
        });
    }

    private static Session session(SessionRows.Row row) {
        return new Session(row.id(), row.keyId(), row.createdAt(), row.lastUsedAt(), row.address(), row.client());
    }

    private Instant now() {
        return clock.instant().truncatedTo(ChronoUnit.MICROS);
    }
}
