package dev.coppice.proxy.route;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.PgErrorException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Collects what one connection says about the moment it wants: once, or several times the same. */
final class Moments {
    private static final String LSN = "lsn";
    private static final String TIMESTAMP = "timestamp";

    /** What Neon's proxy knows besides, and what means nothing here. */
    private static final Set<String> WITHOUT_MEANING = Set.of("endpoint_type", "proxy_params_compat");

    private final Set<Moment> found = new LinkedHashSet<>();

    /** @throws PgErrorException for an unknown option: to overlook a misspelt one would show, and change, the present */
    void options(Map<String, List<String>> neon) {
        neon.forEach((name, values) -> {
            switch (name) {
                case LSN -> values.forEach(value -> add(Moment.lsn(value), "neon_lsn", value));
                case TIMESTAMP -> values.forEach(value -> add(Moment.time(value), "neon_timestamp", value));
                default -> {
                    if (!WITHOUT_MEANING.contains(name)) {
                        throw refused(
                                "unknown connection option neon_" + shown(name),
                                "A past moment is options=neon_lsn:0/16B3748 or"
                                        + " options=neon_timestamp:2026-01-02T03:04:05Z.");
                    }
                }
            }
        });
    }

    /**
     * Cuts the moment off a database name that ends in one.
     *
     * @throws PgErrorException when there is something that can only be meant as one
     */
    String cut(String database) {
        int at = database.lastIndexOf('@');
        if (at < 0) {
            return database;
        }
        String last = database.substring(at + 1);
        Optional<Moment> moment = Moment.parse(last);
        boolean meant = database.lastIndexOf('@', at - 1) >= 0
                && Moment.LIKE_ONE.matcher(last).matches();
        if (moment.isEmpty() && !meant) {
            return database;
        }
        add(moment, "the database name", last);
        return database.substring(0, at);
    }

    private void add(Optional<Moment> moment, String where, String text) {
        found.add(moment.orElseThrow(() -> refused(
                "\"" + shown(text) + "\" in " + where + " is not a moment",
                "Write an LSN like 0/16B3748, or a time with seconds and a zone like 2026-01-02T03:04:05Z.")));
    }

    /** @throws PgErrorException when there are several that differ */
    Optional<Moment> agreed() {
        if (found.size() > 1) {
            throw new PgErrorException(PgError.of(
                    SqlState.PROTOCOL_VIOLATION,
                    "contradictory moments: "
                            + String.join(
                                    ", ", found.stream().map(Moment::toString).toList()),
                    "Name the moment once."));
        }
        return found.stream().findFirst();
    }

    private static PgErrorException refused(String message, String hint) {
        return new PgErrorException(PgError.of(SqlState.INVALID_PARAMETER_VALUE, message, hint));
    }

    /** As much as fits into a message. */
    private static String shown(String text) {
        return text.length() <= 64 ? text : text.substring(0, 64) + "...";
    }
}
