package dev.coppice.proxy.pool.sql;

import java.util.Locale;

/** Why a client keeps its server connection: what it did leaves something behind in the session. */
public enum PinReason {
    /** SET without LOCAL, set_config without is_local. */
    SET,
    /** A parameter that the server reports was changed by something we did not see coming, such as a function. */
    PARAMETER,
    /** PREPARE in SQL; prepared statements of the protocol do not pin. */
    PREPARE,
    /** A temporary table, view or sequence, or anything in pg_temp. */
    TEMPORARY_OBJECT,
    /** DECLARE CURSOR WITH HOLD. */
    HOLDABLE_CURSOR,
    /** pg_advisory_lock and its kin, without _xact_. */
    ADVISORY_LOCK,
    /** LOAD. */
    LOAD,
    /** A query too long to be looked through. */
    LONG_QUERY;

    /** Whether something of it stays in the session behind DISCARD ALL: then no other client gets the connection. */
    public boolean outlivesDiscard() {
        // The size of the buffers for temporary tables is fixed once one was used; a library stays loaded.
        return this == TEMPORARY_OBJECT || this == LOAD || this == LONG_QUERY;
    }

    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
