package dev.coppice.common;

/**
 * The SQLSTATE codes Coppice itself puts into error responses, with Postgres's condition names
 * (src/backend/utils/errcodes.txt). Codes that a compute produces are passed on unread and need no entry here.
 */
public enum SqlState {
    /** The client asked for something the protocol has and we have not. */
    FEATURE_NOT_SUPPORTED("0A000"),
    /** A value that cannot be what is meant, such as a moment outside a branch's history. */
    INVALID_PARAMETER_VALUE("22023"),
    /** We understood the connection attempt and decline it: it does not say where it wants to go. */
    CONNECTION_REJECTED("08004"),
    /** A connection that existed, or was promised, is gone. */
    CONNECTION_FAILURE("08006"),
    /** Bytes that break the wire protocol, or contradict each other. */
    PROTOCOL_VIOLATION("08P01"),
    INVALID_AUTHORIZATION_SPECIFICATION("28000"),
    INVALID_PASSWORD("28P01"),
    /** No such database. */
    INVALID_CATALOG_NAME("3D000"),
    TOO_MANY_CONNECTIONS("53300"),
    OUT_OF_MEMORY("53200"),
    PROGRAM_LIMIT_EXCEEDED("54000"),
    /** What is asked for is not in a state in which it could be had: a masked view without valid rules. */
    OBJECT_NOT_IN_PREREQUISITE_STATE("55000"),
    /** A deadline ended the request. */
    QUERY_CANCELED("57014"),
    /** The server, or the compute, is being stopped. */
    ADMIN_SHUTDOWN("57P01"),
    /** Not now; the same request may succeed later. */
    CANNOT_CONNECT_NOW("57P03"),
    /** A fault of ours. */
    INTERNAL_ERROR("XX000");

    private final String code;

    SqlState(String code) {
        this.code = code;
    }

    /** The five characters that go over the wire. */
    public String code() {
        return code;
    }
}
