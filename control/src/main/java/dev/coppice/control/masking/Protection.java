package dev.coppice.control.masking;

/** What keeps originals from a masked branch. A test leaves them out one by one, to see that the leak scan notices. */
public enum Protection {
    /** Heap pages of tables with masked or dropped columns are rewritten. */
    HEAP_PAGES,
    /** Chunks of masked and dropped columns are blank. */
    TOAST_PAGES,
    /** Tables that SQL expressions updated are rewritten. */
    REWRITTEN_TABLES,
    /** Indexes on masked columns are not there. */
    INDEXES,
    /** Statistics of columns are gone. */
    STATISTICS,
    /** Defaults of added columns are masked. */
    MISSING_VALUES,
    /** Materialized views over masked tables are empty. */
    MATERIALIZED_VIEWS,
    /** Large objects are empty. */
    LARGE_OBJECTS,
    /** Comments and security labels are gone. */
    COMMENTS,
    /** Passwords are the branch's own. */
    PASSWORDS,
    /** Options of foreign servers and user mappings, subscriptions and settings of roles are gone. */
    CREDENTIALS,
    /** Files that are not known to be harmless are not there. */
    UNKNOWN_FILES,
    /** Prepared transactions are rolled back. */
    PREPARED_TRANSACTIONS
}
