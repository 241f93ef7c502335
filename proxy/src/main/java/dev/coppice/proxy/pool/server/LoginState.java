package dev.coppice.proxy.pool.server;

/**
 * Everything in the catalogs that a login of a role to a database depends on, or that a session gets from it, as one text: who gets
 * another text than before may be refused, or be greeted otherwise, and so really logs in. See decision 064.
 */
public final class LoginState {
    /** What the query begins with; nothing that a client sends is taken for it. */
    public static final String QUERY_BEGINNING = "select pg_catalog.concat_ws";

    private static final String FIRES_TRIGGERS = "true ";

    private LoginState() {}

    /**
     * The query for it: one row, or none when there is no such role or database any more. May be asked in any session of the compute, as
     * every role may read these catalogs, and nothing in it is looked for outside pg_catalog.
     */
    public static String query(String role, String database) {
        return QUERY_BEGINNING + "(' '"
                // Since 17; whether there are event triggers for logins.
                + ", coalesce(pg_catalog.to_jsonb(d) OPERATOR(pg_catalog.->>) 'dathasloginevt', 'false')"
                + ", r.oid, r.rolcanlogin, r.rolsuper, r.rolreplication, r.rolconnlimit"
                // In a form that no setting of the session changes.
                + ", pg_catalog.md5(pg_catalog.timestamptz_send(r.rolvaliduntil))"
                + ", r.rolvaliduntil OPERATOR(pg_catalog.<=) pg_catalog.now()"
                + ", d.oid, d.datallowconn, d.datconnlimit, pg_catalog.has_database_privilege(r.oid, d.oid, 'CONNECT')"
                + ", (select pg_catalog.md5(pg_catalog.string_agg(pg_catalog.concat_ws(' ', s.setdatabase, s.setrole, s.setconfig)"
                + ", ' ' order by s.setdatabase, s.setrole)) from pg_catalog.pg_db_role_setting s"
                + " where s.setdatabase OPERATOR(pg_catalog.=) any (array[0::pg_catalog.oid, d.oid])"
                + " and s.setrole OPERATOR(pg_catalog.=) any (array[0::pg_catalog.oid, r.oid])))"
                + " from pg_catalog.pg_roles r, pg_catalog.pg_database d where r.rolname OPERATOR(pg_catalog.=) "
                + literal(role) + " and d.datname OPERATOR(pg_catalog.=) " + literal(database);
    }

    /** Whether something of the database runs at each login, so that no login can be left out. */
    public static boolean firesTriggers(String state) {
        return state.startsWith(FIRES_TRIGGERS);
    }

    /** In a form that no setting gives another meaning. */
    private static String literal(String text) {
        return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'::pg_catalog.name";
    }
}
