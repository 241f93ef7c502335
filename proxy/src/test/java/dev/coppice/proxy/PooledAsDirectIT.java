package dev.coppice.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The same scripts through a pooled endpoint and through one that is not: whatever a client can see must be the same, message by
 * message, when a pooled client uses the very server connection that another one used just before, and when it is sent to others.
 */
@Timeout(120)
class PooledAsDirectIT {
    @RegisterExtension
    static final ProxyFixture fixture = new ProxyFixture();

    /** One way to connect, and what its clients were told. */
    private static final class World implements AutoCloseable {
        private final String database;
        private final boolean moves;
        private final Deque<WireSession> open = new ArrayDeque<>();
        private final Deque<WireSession> holders = new ArrayDeque<>();
        final List<String> heard = new ArrayList<>();

        World(String endpoint, boolean moves) {
            this.database = "@" + endpoint;
            this.moves = moves;
        }

        WireSession client() throws Exception {
            return client("alice", "shop");
        }

        WireSession client(String user, String name) throws IOException, GeneralSecurityException {
            WireSession session = WireSession.open(fixture.port(), user, name + database);
            open.push(session);
            return session;
        }

        /** From here on the server connection that was used last is somebody else's; does nothing where each has its own. */
        void busy() throws Exception {
            if (moves) {
                WireSession holder = WireSession.open(fixture.port(), "alice", "shop" + database);
                holder.query("begin");
                holders.push(holder);
            }
        }

        void heard(WireSession... sessions) {
            for (WireSession session : sessions) {
                heard.addAll(session.heard());
            }
        }

        void direct(String... statements) throws SQLException {
            try (Connection connection = fixture.connect("shop")) {
                for (String sql : statements) {
                    connection.createStatement().execute(sql);
                }
            }
        }

        @Override
        public void close() throws Exception {
            for (WireSession session : open) {
                heard.addAll(session.heard());
                session.close();
            }
            for (WireSession holder : holders) {
                holder.close();
            }
        }
    }

    private interface Script {
        void play(World world) throws Exception;
    }

    private static List<String> heard(String endpoint, boolean moves, Script script) throws Exception {
        World world = new World(endpoint, moves);
        try (world) {
            script.play(world);
        }
        return world.heard;
    }

    private static void assertSame(Script script) throws Exception {
        List<String> direct = heard("ep-main-1", false, script);
        assertThat(direct).isNotEmpty();
        assertSame("staying", heard("ep-main-1-pooler", false, script), direct);
        assertSame("moving", heard("ep-main-1-pooler", true, script), direct);
    }

    private static void assertSame(String how, List<String> pooled, List<String> direct) {
        for (int i = 0; i < Math.min(pooled.size(), direct.size()); i++) {
            assertThat(pooled.get(i))
                    .as("%s: message %d behind %s", how, i, direct.subList(Math.max(0, i - 4), i))
                    .isEqualTo(direct.get(i));
        }
        assertThat(pooled).as(how).hasSameSizeAs(direct);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            timezone                   | 'UTC'          | 'Asia/Tokyo'     | select timestamptz '2026-01-01 00:00', extract(epoch from timestamptz '2026-01-01 00:00')
            datestyle                  | 'ISO, MDY'     | 'ISO, DMY'       | select date '02/03/2026'
            intervalstyle              | 'postgres'     | 'sql_standard'   | select interval '-1 2:03:04'
            search_path                | 'path_a'       | 'path_b'         | select * from t
            search_path                | 'path_a'       | 'path_b'         | select f(1), 't'::regclass::oid::regclass
            standard_conforming_strings| on             | off              | select 'a\\101'
            default_text_search_config | 'simple'       | 'english'        | select to_tsvector('running foxes')
            xmloption                  | content        | document         | select pg_typeof('a<b/>'::xml)
            array_nulls                | on             | off              | select '{NULL}'::text[] = array['NULL']
            transform_null_equals      | off            | on               | select (select null) = null
            extra_float_digits         | 1              | -5               | select 1.23456789::float8::text
            bytea_output               | 'hex'          | 'escape'         | select '\\x6162'::bytea::text
            lc_monetary                | 'C'            | 'C.UTF-8'        | select '1234.5'::money
            quote_all_identifiers      | off            | on               | select quote_ident('x'), pg_get_viewdef('v'::regclass)
            """)
    void what_one_sets_counts_for_its_own_statements_only(String name, String one, String other, String query)
            throws Exception {
        try (Connection connection = fixture.connect("shop")) {
            connection.createStatement().execute("""
                    create schema if not exists path_a; create schema if not exists path_b;
                    create table if not exists path_a.t (a int); create table if not exists path_b.t (a int, b int);
                    create or replace function path_a.f(int) returns text language sql as 'select ''a''';
                    create or replace function path_b.f(int) returns text language sql as 'select ''b''';
                    create or replace view v as select 1 as one""");
        }
        assertSame(world -> {
            WireSession a = world.client().query("set " + name + " = " + one);
            WireSession b = world.client().query("set " + name + " = " + other);
            a.parse("s", query).describe("s").sync().run("s");
            b.parse("s", query).describe("s").sync().run("s");
            world.busy();
            a.run("s");
            b.run("s");
            a.run("s");
            // What is set later does not change what was understood before, or does as in a session of one's own.
            WireSession c = world.client().parse("q", query).sync().run("q");
            c.query("set " + name + " = " + other).parse("r", query).sync().run("r");
            c.query("begin").query("set local " + name + " = " + one);
            c.parse("l", query).sync().run("l").query("rollback").run("r");
            world.heard(a, b, c);
        });
    }

    @Test
    void ddl_of_others_is_seen_by_whoever_prepares_after_it() throws Exception {
        assertSame(world -> {
            world.direct(
                    "drop table if exists ddl",
                    "create table ddl (x timestamp, n int)",
                    "drop function if exists over(int)",
                    "create or replace function over(bigint) returns text language sql as 'select ''bigint'''");
            String insert = "insert into ddl values ($1, $2) returning *";
            WireSession a = world.client().query("set timezone = 'UTC'");
            a.parse("i", insert).describe("i").sync().run("i", "2026-01-01T00:00:00+05", "1");
            a.parse("all", "select * from ddl").sync().run("all");
            a.parse("f", "select over(1)").sync().run("f");
            world.direct(
                    "alter table ddl alter x type timestamptz, alter n type numeric",
                    "alter table ddl add column more int default 7",
                    "create function over(int) returns text language sql as 'select ''int'''");
            for (int i = 0; i < 2; i++) {
                WireSession b = world.client().query("set timezone = 'UTC'");
                b.parse("i", insert).describe("i").sync().run("i", "2026-01-01T00:00:00+05", "1.5");
                b.parse("all", "select * from ddl").describe("all").sync().run("all");
                b.parse("f", "select over(1)").sync().run("f");
                b.parse("", "select * from ddl where n = $1")
                        .describe("")
                        .sync()
                        .run("", "1.5");
                world.busy();
                b.run("all").run("i", "2026-01-01T00:00:00+05", "1.5").run("f");
                world.heard(b);
            }
            // Who has prepared before is told, and helped by preparing again.
            a.run("all").run("i", "2026-01-01T00:00:00+05", "1");
            a.query("begin").run("all").query("rollback");
            a.closeStatement("all").parse("all", "select * from ddl").sync().run("all");
            world.heard(a);
        });
    }

    @Test
    void the_unnamed_statement_is_the_clients_own() throws Exception {
        assertSame(world -> {
            world.direct("drop table if exists un", "create table un (x int)");
            WireSession a = world.client();
            WireSession b = world.client();
            a.parse("", "insert into un values ($1) returning x").describe("").sync();
            b.parse("", "select 'b'").sync();
            world.busy();
            world.direct("alter table un alter x type numeric");
            a.run("", "7");
            b.run("");
            a.query("select 1").run("");
            world.heard(a, b);
        });
    }

    @Test
    void errors_name_statements_as_the_client_does() throws Exception {
        assertSame(world -> {
            WireSession a = world.client();
            a.parse("mine", "select $1::int").sync().run("mine", "1");
            a.run("mine")
                    .run("mine", "1", "2")
                    .run("not there")
                    .describe("not there")
                    .sync();
            a.parse("mine", "select 2").sync().run("mine", "3");
            a.query("begin").parse("mine", "select 2").sync().run("mine", "3").query("rollback");
            a.parse("mine", "select nonsense from").sync();
            a.closeStatement("mine").parse("mine", "select 2").sync().run("mine");
            a.query("begin").query("select 1/0").parse("in vain", "select 1").sync();
            a.query("rollback").run("in vain");
            a.query("deallocate mine").run("mine").query("deallocate mine");
            world.heard(a);
        });
    }

    private static void role(String name) {
        fixture.directory.verifiers.put(name, TestVerifiers.verifier(ProxyFixture.PASSWORD, "salt of " + name));
    }

    private static String createRole(String name, String more) {
        return "create role " + name + " login " + more + " password '"
                + TestVerifiers.verifier(ProxyFixture.PASSWORD, "salt of " + name) + "'";
    }

    /** Such clients begin with a login as they find it, and what they see then. */
    private static void look(World world, String role) throws Exception {
        WireSession session = world.client(role, "shop");
        if (session.keyData().length > 0) {
            session.query(
                    "select current_user, session_user, current_setting('work_mem'), current_setting('timezone')");
        }
        world.heard(session);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            revoke connect on database shop from public         | grant connect on database shop to public
            alter role guest connection limit 0                 | alter role guest connection limit -1
            alter database shop connection limit 0              | alter database shop connection limit -1
            alter database shop allow_connections false         | alter database shop allow_connections true
            alter role guest nologin                            | alter role guest login
            alter role guest valid until '2001-01-01'           | alter role guest valid until 'infinity'
            alter role guest set work_mem = '9MB'               | alter role guest reset all
            alter role guest in database shop set timezone='UTC'| alter role guest in database shop reset all
            alter database shop set timezone = 'Europe/Lisbon'  | alter database shop reset all
            alter role all set work_mem = '11MB'                | alter role all reset all
            """)
    void a_login_is_what_postgres_makes_of_it_now(String change, String undo) throws Exception {
        role("guest");
        assertSame(world -> {
            try (Connection admin = fixture.connect("postgres")) {
                admin.createStatement().execute("drop role if exists guest");
                admin.createStatement().execute(createRole("guest", ""));
                look(world, "guest");
                WireSession before = world.client("guest", "shop").query("show work_mem");
                try {
                    admin.createStatement().execute(change);
                    look(world, "guest");
                    before.query("show work_mem").query("show timezone");
                    world.heard(before);
                    look(world, "guest");
                } finally {
                    admin.createStatement().execute(undo);
                }
                look(world, "guest");
                before.close();
            }
        });
    }

    @Test
    void a_role_dropped_and_made_again_is_another_one() throws Exception {
        role("twice");
        assertSame(world -> {
            world.direct("drop role if exists twice", createRole("twice", ""));
            look(world, "twice");
            world.direct("drop role twice", createRole("twice", ""));
            look(world, "twice");
        });
    }

    @Test
    void a_role_at_its_limit_is_told_so_and_waits_for_nobody() throws Exception {
        role("single");
        try (Connection admin = fixture.connect("shop")) {
            admin.createStatement().execute(createRole("single", "connection limit 1"));
        }
        assertSame(world -> {
            try (WireSession only = WireSession.open(fixture.port(), "single", "shop")) {
                only.query("select 1");
                look(world, "single");
            }
            await().untilAsserted(() -> {
                try (Connection admin = fixture.connect("shop")) {
                    assertThat(ProxyFixture.one(
                                    admin, "select count(*) from pg_stat_activity where usename = 'single'"))
                            .isEqualTo("0");
                }
            });
        });
    }

    @Test
    void triggers_fire_at_each_login() throws Exception {
        try (Connection admin = fixture.connect("shop")) {
            admin.createStatement().execute("create table if not exists logins (who text)");
            admin.createStatement()
                    .execute("create or replace function greet() returns event_trigger language plpgsql as"
                            + " $$begin insert into logins values (session_user); raise notice 'welcome'; end$$");
            admin.createStatement().execute("create event trigger greeter on login execute function greet()");
            try {
                assertSame(world -> {
                    world.direct("truncate logins");
                    for (int i = 0; i < 3; i++) {
                        look(world, "alice");
                    }
                    WireSession last = world.client().query("select count(*) from logins where who = 'alice'");
                    world.heard(last);
                });
            } finally {
                admin.createStatement().execute("drop event trigger greeter");
            }
        }
    }

    @Test
    void temporary_tables_of_others_fix_no_buffers() throws Exception {
        assertSame(world -> {
            for (int i = 0; i < 3; i++) {
                WireSession a = world.client();
                a.query("set temp_buffers = " + (200 + i)).query("create temp table mine (i int)");
                a.query("insert into mine values (1)")
                        .query("select * from mine")
                        .query("discard all");
                world.heard(a);
                a.query("select 1");
            }
        });
    }

    @Test
    void whoever_is_terminated_hears_it_once() throws Exception {
        assertSame(world -> {
            WireSession a = world.client();
            a.begin("select pg_sleep(60) -- to be terminated");
            await().until(() -> {
                try (Connection admin = fixture.connect("shop")) {
                    return "1"
                            .equals(ProxyFixture.one(
                                    admin,
                                    "select count(pg_terminate_backend(pid)) from pg_stat_activity where pid <> pg_backend_pid()"
                                            + " and query like '%to be terminated' and wait_event = 'PgSleep'"));
                }
            });
            a.readToReady();
            world.heard(a);
        });
    }

    @Test
    void a_database_whose_clients_have_left_can_be_dropped_and_renamed() throws Exception {
        assertSame(world -> {
            world.direct("create database leaving");
            world.client("alice", "leaving").query("select 1").close();
            world.direct("alter database leaving rename to left_behind");
            world.client("alice", "leaving");
            world.client("alice", "left_behind")
                    .query("select current_database()")
                    .close();
            world.direct("drop database left_behind");
        });
    }

    @Test
    void a_cancel_request_that_was_answered_hits_nothing_later() throws Exception {
        try (WireSession a = WireSession.open(fixture.port(), "alice", "shop@ep-main-1-pooler");
                WireSession b = WireSession.open(fixture.port(), "alice", "shop@ep-main-1-pooler")) {
            for (int i = 0; i < 100; i++) {
                a.begin("select pg_sleep(0.00" + i % 10 + ")");
                try (RawClient canceller = new RawClient(fixture.port())) {
                    canceller.cancel(a.keyData());
                    if (i % 2 == 0) {
                        assertThat(canceller.read().end()).isTrue();
                    }
                    a.readToReady();
                    a.heard();
                    assertThat(b.query("select pg_sleep(0.001)").heard().toString())
                            .doesNotContain("57014");
                    if (i % 2 == 1) {
                        assertThat(canceller.read().end()).isTrue();
                    }
                    assertThat(a.query("select pg_sleep(0.001)").heard().toString())
                            .doesNotContain("57014");
                }
            }
        }
    }
}
