package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

/** Postgres's own proof that heaps and indexes fit together. Needs the extension amcheck in the database. */
final class Amcheck {
    private Amcheck() {}

    static void assertClean(String uri) {
        String indexes = Programs.psql(uri, """
                        select count(bt_index_check(c.oid, true)) from pg_class c
                        join pg_am a on a.oid = c.relam join pg_index i on i.indexrelid = c.oid
                        where a.amname = 'btree' and c.relpersistence = 'p' and i.indisvalid and i.indisready""").text();
        assertThat(Integer.parseInt(indexes)).isGreaterThan(100);
        String corrupt = Programs.psql(uri, """
                        select c.oid::regclass, v.* from pg_class c, lateral verify_heapam(c.oid) v
                        where c.relkind in ('r', 'm', 't') and c.relpersistence = 'p'""").text();
        assertThat(corrupt).isEmpty();
    }
}
