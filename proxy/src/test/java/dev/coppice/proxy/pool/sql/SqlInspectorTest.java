package dev.coppice.proxy.pool.sql;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SqlInspectorTest {
    private static Inspection inspect(String sql) {
        ByteBuf bytes = Unpooled.copiedBuffer(sql, UTF_8);
        try {
            return SqlInspector.inspect(bytes, 0, bytes.readableBytes());
        } finally {
            bytes.release();
        }
    }

    private static void assertPins(PinReason reason, String... statements) {
        for (String sql : statements) {
            assertThat(inspect(sql).pin()).as(sql).contains(reason);
        }
    }

    private static void assertNothing(String... statements) {
        for (String sql : statements) {
            assertThat(inspect(sql)).as(sql).isEqualTo(Inspection.NOTHING);
        }
    }

    private static void assertSetting(String sql, String name) {
        assertThat(inspect(sql).setting()).as(sql).contains(new Setting(name, sql));
        assertThat(inspect(sql).pin()).as(sql).isEmpty();
    }

    @Test
    void everyday_statements_leave_nothing() {
        assertNothing(
                "",
                ";",
                "select 1",
                "begin",
                "set local statement_timeout = '1s'",
                "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                "set constraints all deferred",
                "update t set a = 1, \"temp\" = 2 where b = 'set x = 1'",
                "select 'it''s; set x = 1'",
                "select $$ ; set x = 1 $$",
                "select $a$ ; listen x $b$ $a$",
                "select $1 ; select $2",
                "select e'\\' ; set x = 1 --'",
                "-- set x = 1\nselect 1",
                "/* set x /* nested */ = 1; */ select 1",
                "create table temp_things (id int)",
                "create function f() returns void language plpgsql as $$ begin set x = 1; end $$",
                "prepare transaction 'x'",
                "declare c cursor for select 1",
                "select pg_advisory_xact_lock(1), pg_try_advisory_xact_lock(2)",
                "select set_config('a.b', 'x', true)",
                "select set_config('a.b', coalesce('x', 'true'), true), 1",
                "select 1 as hold");
    }

    @Test
    void what_leaves_a_trace_pins() {
        assertPins(
                PinReason.SET,
                "set role x",
                "SET SESSION AUTHORIZATION x",
                "set session characteristics as transaction read only");
        assertPins(
                PinReason.SET,
                "set a = 1; select 1",
                "begin; SET search_path TO x",
                "select set_config('a', 'b', false)");
        assertPins(
                PinReason.SET, "select set_config('a', 'b', $1)", "do $$ begin set a = 1; end $$", "set names 'utf8'");
        assertPins(PinReason.TEMPORARY_OBJECT, "create temp table t ()", "CREATE LOCAL TEMPORARY VIEW v AS SELECT 1");
        assertPins(PinReason.TEMPORARY_OBJECT, "select * into temp t from x", "create table pg_temp.t ()");
        assertPins(PinReason.TEMPORARY_OBJECT, "create or replace temp view v as select 1");
        assertPins(PinReason.PREPARE, "prepare p as select 1", "select 1; PREPARE x(int) AS SELECT $1");
        assertPins(PinReason.HOLDABLE_CURSOR, "declare c cursor with hold for select 1");
        assertPins(
                PinReason.ADVISORY_LOCK,
                "select pg_advisory_lock(1)",
                "SELECT pg_catalog.pg_try_advisory_lock_shared(1)");
        assertPins(PinReason.LOAD, "load 'auto_explain'");
    }

    @Test
    void settings_that_can_be_repeated_are_told_apart() {
        assertSetting("SET search_path = a, \"B\"", "search_path");
        assertSetting("set session DateStyle to 'ISO'", "datestyle");
        assertSetting("set time zone 'Europe/Berlin'", "timezone");
        assertSetting(" set my.own = 'x' -- why", "my.own");
        assertThat(inspect("reset all").setting()).contains(new Setting("*", ""));
        assertThat(inspect("RESET Search_Path;").setting()).contains(new Setting("search_path", ""));
    }

    @Test
    void channels_are_folded_as_postgres_folds() {
        assertThat(inspect("LISTEN News").listens()).containsExactly("news");
        assertThat(inspect("listen \"News\"; listen b").listens()).containsExactly("News", "b");
        assertThat(inspect("unlisten *").unlistens()).containsExactly("*");
        assertThat(inspect("discard all").unlistens()).containsExactly("*");
    }

    @Test
    void deallocation_is_noticed() {
        assertThat(inspect("deallocate all").deallocatesAll()).isTrue();
        assertThat(inspect("DEALLOCATE PREPARE \"S 1\"").deallocates()).contains("S 1");
        assertThat(inspect("discard plans").isNothing()).isTrue();
    }

    @Test
    void any_text_is_looked_through_to_its_end() {
        String[] pieces = {
            "set",
            " ",
            "=",
            "'",
            "\"",
            "$$",
            "$a$",
            "--",
            "\n",
            "/*",
            "*/",
            ";",
            "do",
            "create",
            "temp",
            "(",
            ")",
            "set_config",
            "e'",
            "\\",
            "listen",
            "x",
            "1",
            ".",
            ",",
            "$1",
            "\u00e4"
        };
        long seed = Long.getLong("coppice.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int round = 0; round < 20_000; round++) {
            StringBuilder sql = new StringBuilder();
            int length = random.nextInt(30);
            for (int i = 0; i < length; i++) {
                sql.append(pieces[random.nextInt(pieces.length)]);
            }
            try {
                inspect(sql.toString());
            } catch (RuntimeException e) {
                throw new AssertionError("-Dcoppice.seed=" + seed + ": " + sql, e);
            }
        }
    }
}
