package dev.coppice.masking.layout;

import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The built-in types whose values masking can read, with their fixed OIDs (pg_type.dat); 0 = an extension's, known by name. */
public enum ScalarType {
    BOOL(16, "bool", 1, 1, Family.BOOLEAN),
    BYTEA(17, "bytea", -1, 4, Family.BINARY),
    CHAR(18, "char", 1, 1, Family.SINGLE_CHAR),
    NAME(19, "name", 64, 1, Family.TEXT),
    INT8(20, "int8", 8, 8, Family.INTEGER),
    INT2(21, "int2", 2, 2, Family.INTEGER),
    INT4(23, "int4", 4, 4, Family.INTEGER),
    TEXT(25, "text", -1, 4, Family.TEXT),
    OID(26, "oid", 4, 4, Family.INTEGER),
    JSON(114, "json", -1, 4, Family.JSON),
    XML(142, "xml", -1, 4, Family.XML),
    POINT(600, "point", 16, 8, Family.POINT),
    LSEG(601, "lseg", 32, 8, Family.OPAQUE_FIXED),
    BOX(603, "box", 32, 8, Family.OPAQUE_FIXED),
    LINE(628, "line", 24, 8, Family.OPAQUE),
    CIRCLE(718, "circle", 24, 8, Family.OPAQUE_FIXED),
    CIDR(650, "cidr", -1, 4, Family.NETWORK),
    FLOAT4(700, "float4", 4, 4, Family.FLOAT),
    FLOAT8(701, "float8", 8, 8, Family.FLOAT),
    MACADDR8(774, "macaddr8", 8, 4, Family.MAC_ADDRESS),
    MONEY(790, "money", 8, 8, Family.INTEGER),
    MACADDR(829, "macaddr", 6, 4, Family.MAC_ADDRESS),
    INET(869, "inet", -1, 4, Family.NETWORK),
    BPCHAR(1042, "bpchar", -1, 4, Family.TEXT),
    VARCHAR(1043, "varchar", -1, 4, Family.TEXT),
    DATE(1082, "date", 4, 4, Family.DATE),
    TIME(1083, "time", 8, 8, Family.TIME),
    TIMESTAMP(1114, "timestamp", 8, 8, Family.TIMESTAMP),
    TIMESTAMPTZ(1184, "timestamptz", 8, 8, Family.TIMESTAMP),
    INTERVAL(1186, "interval", 16, 8, Family.INTERVAL),
    TIMETZ(1266, "timetz", 12, 8, Family.TIME),
    BIT(1560, "bit", -1, 4, Family.BITS),
    VARBIT(1562, "varbit", -1, 4, Family.BITS),
    NUMERIC(1700, "numeric", -1, 4, Family.NUMERIC),
    UUID(2950, "uuid", 16, 1, Family.UUID),
    TSVECTOR(3614, "tsvector", -1, 4, Family.TSVECTOR),
    JSONB(3802, "jsonb", -1, 4, Family.JSONB),
    CITEXT(0, "citext", -1, 4, Family.TEXT),
    HSTORE(0, "hstore", -1, 4, Family.HSTORE);

    /** Types that the same functions work on. */
    public enum Family {
        BOOLEAN,
        BINARY,
        SINGLE_CHAR,
        INTEGER,
        TEXT,
        JSON,
        JSONB,
        XML,
        POINT,
        /** Fixed-length types of which only a zero is known to be valid. */
        OPAQUE_FIXED,
        /** Types for which no value but NULL is known to be valid and small enough. */
        OPAQUE,
        NETWORK,
        FLOAT,
        MAC_ADDRESS,
        DATE,
        TIME,
        TIMESTAMP,
        INTERVAL,
        BITS,
        NUMERIC,
        UUID,
        TSVECTOR,
        HSTORE
    }

    private static final Map<Integer, ScalarType> BY_OID = Stream.of(values())
            .filter(type -> type.oid != 0)
            .collect(Collectors.toUnmodifiableMap(ScalarType::oid, type -> type));

    private final int oid;
    private final String typeName;
    private final int length;
    private final int alignment;
    private final Family family;

    ScalarType(int oid, String typeName, int length, int alignment, Family family) {
        this.oid = oid;
        this.typeName = typeName;
        this.length = length;
        this.alignment = alignment;
        this.family = family;
    }

    public int oid() {
        return oid;
    }

    /** pg_type.typname. */
    public String typeName() {
        return typeName;
    }

    /** Bytes, or -1 for variable-length. */
    public int length() {
        return length;
    }

    /** Bytes. */
    public int alignment() {
        return alignment;
    }

    public Family family() {
        return family;
    }

    /** The built-in type of an OID, or null. */
    static @org.jspecify.annotations.Nullable ScalarType of(int oid) {
        return BY_OID.get(oid);
    }
}
