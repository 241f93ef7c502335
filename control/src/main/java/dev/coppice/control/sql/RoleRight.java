package dev.coppice.control.sql;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What a role may get besides its login, when it is made by the API. */
public enum RoleRight {
    CREATEDB,
    CREATEROLE,
    REPLICATION,
    BYPASSRLS,
    PG_READ_ALL_DATA,
    PG_WRITE_ALL_DATA,
    PG_MONITOR,
    PG_SIGNAL_BACKEND,
    PG_MAINTAIN,
    PG_CREATE_SUBSCRIPTION,
    PG_CHECKPOINT;

    /** As the API writes it. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<RoleRight> of(String text) {
        return Arrays.stream(values())
                .filter(right -> right.text().equals(text))
                .findFirst();
    }

    /** Whether it is a role to be a member of, and not an attribute. */
    boolean isMembership() {
        return name().startsWith("PG_");
    }
}
