package dev.coppice.control.masking;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * Asks a database for all that a plan needs of its catalog, as one JSON document; {@link DatabaseCatalog} reads it. Rows are arrays,
 * so that thousands of tables stay small.
 */
final class CatalogQuery {
    /** FirstNormalObjectId: what initdb made lies below. */
    static final int FIRST_USER_OID = 16_384;

    /** pg_attribute's own OID. */
    static final int PG_ATTRIBUTE = 1249;

    private static final String TABLES = "c.relkind IN ('r', 'p', 'm') AND c.oid >= " + FIRST_USER_OID;

    /** The columns that an expression reads, whatever its place: 0 for a whole row. */
    private static String columnsIn(String tree) {
        return "(SELECT coalesce(json_agg(DISTINCT (m[1] || m[2])::int), '[]') FROM regexp_matches(" + tree
                + ", ':varattno (-|)([0-9]+)', 'g') m)";
    }

    /** Whether an expression calls functions that users made, which may read anything. */
    private static String callsUserCode(String tree) {
        return "EXISTS (SELECT FROM regexp_matches(" + tree
                + ", ':(funcid|opfuncid|aggfnoid|winfnoid) ([0-9]+)', 'g') m WHERE m[2]::bigint >= " + FIRST_USER_OID
                + ")";
    }

    private static String rows(String name, String columns, String from) {
        return "'" + name + "', (SELECT coalesce(json_agg(json_build_array(" + columns + ")), '[]') FROM " + from + ")";
    }

    private static final String INDEX_TREE = "coalesce(i.indexprs::text, '') || coalesce(i.indpred::text, '')";

    private static final String SQL = String.join(
            ", ",
            "SELECT json_build_object('database', current_database()",
            "'oid', (SELECT oid::bigint FROM pg_database WHERE datname = current_database())",
            "'encoding', (SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database())",
            "'checksums', current_setting('data_checksums')",
            rows(
                    "types",
                    "oid::bigint, typname, typtype, typlen, typalign,"
                            + " CASE WHEN typsubscript::text = 'array_subscript_handler' THEN typelem::bigint ELSE 0 END,"
                            + " typbasetype::bigint",
                    "pg_type"),
            rows(
                    "labels",
                    "e.enumtypid::bigint, e.oid::bigint, e.enumlabel",
                    "(SELECT * FROM pg_enum ORDER BY enumtypid, enumsortorder) e"),
            rows("ranges", "rngtypid::bigint, rngsubtype::bigint", "pg_range"),
            rows(
                    "relations",
                    "c.oid::bigint, n.nspname, c.relname, c.relkind, coalesce(pg_relation_filenode(c.oid)::bigint, 0),"
                            + " c.reltoastrelid::bigint, c.relisshared",
                    "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                            + " WHERE c.relkind IN ('r', 'p', 'm', 't', 'i', 'S') AND c.relpersistence <> 't'"),
            rows(
                    "attributes",
                    "a.attrelid::bigint, a.attnum, a.attname, a.atttypid::bigint, a.atttypmod, a.attlen, a.attalign,"
                            + " a.attstorage, a.attnotnull, a.attisdropped, a.attgenerated",
                    "(SELECT * FROM pg_attribute WHERE attnum > 0 ORDER BY attrelid, attnum) a"
                            + " JOIN pg_class c ON c.oid = a.attrelid WHERE c.oid = " + PG_ATTRIBUTE + " OR " + TABLES),
            rows(
                    "indexes",
                    "i.indexrelid::bigint, i.indrelid::bigint, x.relname, i.indkey::text, i.indisunique, i.indisexclusion, "
                            + columnsIn(INDEX_TREE) + ", " + callsUserCode(INDEX_TREE),
                    "pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid WHERE "
                            + TABLES),
            rows(
                    "foreignKeys",
                    "conname, conrelid::bigint, array_to_json(conkey), confrelid::bigint, array_to_json(confkey)",
                    "pg_constraint WHERE contype = 'f'"),
            rows("inherits", "inhrelid::bigint, inhparent::bigint", "pg_inherits"),
            rows(
                    "partitionKeys",
                    "partrelid::bigint, partattrs::text, " + columnsIn("coalesce(partexprs::text, '')"),
                    "pg_partitioned_table"),
            rows(
                    "generated",
                    "d.adrelid::bigint, d.adnum, " + columnsIn("d.adbin::text"),
                    "pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum"
                            + " WHERE a.attgenerated = 's'"),
            rows(
                            "views",
                            "c.oid::bigint, (SELECT coalesce(json_agg(DISTINCT d.refobjid::bigint), '[]') FROM pg_depend d"
                                    + " WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid"
                                    + " AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> c.oid),"
                                    + " EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_rewrite'::regclass"
                                    + " AND d.objid = r.oid AND d.refclassid = 'pg_proc'::regclass)",
                            "pg_class c JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN'"
                                    + " WHERE c.relkind IN ('v', 'm') AND c.oid >= " + FIRST_USER_OID)
                    + ")::text");

    private CatalogQuery() {}

    /** The document, of the database that the connection is to. */
    static String run(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            // Braces in it are not JDBC's.
            statement.setEscapeProcessing(false);
            try (ResultSet rows = statement.executeQuery(SQL)) {
                rows.next();
                return rows.getString(1);
            }
        }
    }
}
