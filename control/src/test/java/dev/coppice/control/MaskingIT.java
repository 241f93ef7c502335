package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.control.anonymize.AnonymizeWorkflow;
import dev.coppice.control.branch.Made;
import dev.coppice.control.catalog.model.BranchMasking;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.masking.RuleSet;
import dev.coppice.control.timeline.BranchPointRequest;
import dev.coppice.storage.fault.OutsideHistoryException;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Anonymized branches over real storage and real computes. */
class MaskingIT {
    private static ControlFixture fixture;

    @BeforeAll
    static void open() throws IOException {
        fixture = new ControlFixture(-1);
    }

    @AfterAll
    static void close() throws IOException {
        fixture.close();
    }

    private static MaskedParent shopOf(String name) throws Exception {
        MaskedParent parent = new MaskedParent(fixture, name);
        parent.execute(
                parent.endpoint,
                "CREATE TABLE customers (id int PRIMARY KEY, email text UNIQUE, name text, note text, city text)",
                "CREATE INDEX ON customers (lower(name))",
                "CREATE INDEX ON customers (city)",
                "INSERT INTO customers SELECT n, 'canary' || n || '@example.com', 'Canary ' || n,"
                        + " repeat('canary note ', 400), 'city ' || n % 10 FROM generate_series(1, 500) n",
                "CREATE TABLE orders (id int PRIMARY KEY, customer text REFERENCES customers (email), total numeric)",
                "INSERT INTO orders SELECT n, 'canary' || (n % 500 + 1) || '@example.com', n FROM generate_series(1, 2000) n",
                "ANALYZE");
        return parent;
    }

    @Test
    void a_branch_shows_masked_values_joins_by_them_and_passes_amcheck() throws Exception {
        MaskedParent parent = shopOf("slice");
        Made made = parent.anonymized(
                "masked",
                parent.rules(
                        parent.rule("customers", "email", "pseudonym_email()"),
                        parent.rule("customers", "name", "dummy_first_name()"),
                        parent.rule("customers", "note", "null()")));
        String endpoint = made.endpoint().orElseThrow().id();
        assertThat(parent.value(endpoint, "SELECT count(*)::text FROM customers"))
                .isEqualTo("500");
        assertThat(parent.value(endpoint, "SELECT count(*)::text FROM customers c WHERE c::text ILIKE '%canary%'"))
                .isEqualTo("0");
        assertThat(parent.value(endpoint, "SELECT count(DISTINCT email)::text FROM customers"))
                .isEqualTo("500");
        assertThat(parent.value(endpoint, "SELECT count(*)::text FROM orders JOIN customers ON customer = email"))
                .isEqualTo("2000");
        assertThat(parent.column(endpoint, "SELECT city FROM customers WHERE id = 7"))
                .containsExactly("city 7");
        try (Connection connection = parent.connect(endpoint)) {
            assertThat(MaskedParent.findings(connection)).isEmpty();
            assertThat(MaskedParent.column(
                            connection, "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"))
                    .isEmpty();
        }
        assertThat(parent.value(parent.endpoint, "SELECT email FROM customers WHERE id = 7"))
                .isEqualTo("canary7@example.com");
        assertThat(parent.declared().masking(parent.project, made.branch().id()))
                .get()
                .extracting(BranchMasking::state)
                .isEqualTo(BranchMasking.State.ANONYMIZED);
    }

    @Test
    void a_reset_masks_the_parent_as_it_is_then_and_other_rules_apply_without_a_new_branch() throws Exception {
        MaskedParent parent = shopOf("reset");
        Made made = parent.anonymized("masked", parent.rules(parent.rule("customers", "name", "pseudonym()")));
        String endpoint = made.endpoint().orElseThrow().id();
        String branch = made.branch().id();
        String name = parent.value(endpoint, "SELECT name FROM customers WHERE id = 7");
        assertThat(name).hasSize("Canary 7".length()).isNotEqualTo("Canary 7");
        parent.execute(
                parent.endpoint, "INSERT INTO customers (id, name, email) VALUES (1001, 'Canary new', 'zqcanary@new')");
        assertThat(parent.value(endpoint, "SELECT count(*)::text FROM customers"))
                .isEqualTo("500");
        assertThat(fixture.post(
                                "/projects/" + parent.project + "/branches/" + branch + "/restore",
                                "{\"source_branch_id\":\"" + parent.main + "\"}")
                        .status())
                .isEqualTo(200);
        assertThat(parent.value(endpoint, "SELECT count(*)::text FROM customers"))
                .isEqualTo("501");
        assertThat(parent.value(endpoint, "SELECT name FROM customers WHERE id = 7"))
                .isEqualTo(name);
        assertThat(parent.value(endpoint, "SELECT count(*)::text FROM customers WHERE name LIKE 'Canary%'"))
                .isEqualTo("0");
        assertThat(parent.value(endpoint, "SELECT email FROM customers WHERE id = 1001"))
                .isEqualTo("zqcanary@new");

        parent.declared()
                .replaceRules(
                        parent.project,
                        branch,
                        parent.rules(
                                parent.rule("customers", "name", "pseudonym()"),
                                parent.rule("customers", "email", "pseudonym_email()")));
        BranchMasking applied = parent.reanonymization().anonymize(parent.project, branch);
        assertThat(applied.appliedVersion()).isEqualTo(2);
        assertThat(parent.value(endpoint, "SELECT count(*)::text FROM customers c WHERE c::text ILIKE '%canary%@%'"))
                .isEqualTo("0");
        assertThat(parent.value(endpoint, "SELECT count(*)::text FROM orders JOIN customers ON customer = email"))
                .isEqualTo("2000");
    }

    @Test
    void a_restarted_server_shows_the_same_values_and_children_see_them_too() throws Exception {
        MaskedParent parent = shopOf("restart");
        Made made = parent.anonymized("masked", parent.rules(parent.rule("customers", "name", "pseudonym()")));
        String endpoint = made.endpoint().orElseThrow().id();
        String sum = "SELECT md5(string_agg(name, ',' ORDER BY id)) FROM customers";
        String before = parent.value(endpoint, sum);
        fixture.shutDown();
        fixture.open();
        assertThat(parent.value(endpoint, sum)).isEqualTo(before);
        String child = parent.child("child", made.branch().id())
                .endpoint()
                .orElseThrow()
                .id();
        assertThat(parent.value(child, sum)).isEqualTo(before);
        try (Connection connection = parent.connect(child)) {
            assertThat(MaskedParent.findings(connection)).isEmpty();
        }
    }

    @Test
    void nothing_below_the_branch_point_can_be_read() throws Exception {
        MaskedParent parent = shopOf("boundary");
        String lsn = parent.value(parent.endpoint, "SELECT pg_current_wal_insert_lsn()::text");
        String past = parent.value(
                parent.endpoint, "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')");
        parent.execute(parent.endpoint, "INSERT INTO customers (id) VALUES (2001)");
        Made made = parent.anonymized("masked", parent.rules(parent.rule("customers", "name", "pseudonym()")));
        String branch = made.branch().id();
        String branches = "/projects/" + parent.project + "/branches";
        for (String point : List.of("\"parent_lsn\":\"" + lsn + "\"", "\"parent_timestamp\":\"" + past + "\"")) {
            ControlFixture.Answer refused = fixture.post(
                    branches,
                    "{\"branch\":{\"parent_id\":\"" + branch + "\"," + point
                            + "},\"endpoints\":[{\"type\":\"read_write\"}]}");
            assertThat(refused.status()).as(refused.toString()).isEqualTo(422);
        }
        for (String point : List.of("\"source_lsn\":\"" + lsn + "\"", "\"source_timestamp\":\"" + past + "\"")) {
            ControlFixture.Answer refused = fixture.post(
                    branches + "/" + branch + "/restore",
                    "{\"source_branch_id\":\"" + branch + "\"," + point + ",\"preserve_under_name\":\"old\"}");
            assertThat(refused.status()).as(refused.toString()).isEqualTo(422);
        }
        assertThatThrownBy(() -> fixture.pages
                        .timeline(new TimelineId(made.branch().timelineId()))
                        .readFile("global/pg_control", Lsn.parse(lsn)))
                .isInstanceOf(OutsideHistoryException.class);
        // Its own past was masked, and can be restored.
        String endpoint = made.endpoint().orElseThrow().id();
        String own = parent.value(endpoint, "SELECT pg_current_wal_insert_lsn()::text");
        parent.execute(endpoint, "DELETE FROM orders", "DELETE FROM customers");
        ControlFixture.Answer restored = fixture.post(
                branches + "/" + branch + "/restore",
                "{\"source_branch_id\":\"" + branch + "\",\"source_lsn\":\"" + own
                        + "\",\"preserve_under_name\":\"old\"}");
        assertThat(restored.status()).as(restored.toString()).isEqualTo(200);
        assertThat(parent.value(endpoint, "SELECT count(*)::text FROM customers WHERE name LIKE 'Canary%'"))
                .isEqualTo("0");
        assertThat(parent.value(endpoint, "SELECT count(*)::text FROM customers"))
                .isEqualTo("501");
    }

    @Test
    void rules_that_cannot_be_kept_are_refused_and_leave_nothing() throws Exception {
        MaskedParent parent = shopOf("refused");
        Set<TimelineId> before = fixture.pages.timelines();
        assertThatThrownBy(() -> parent.anonymized("a", parent.rules(parent.rule("customers", "nothing", "hash()"))))
                .isInstanceOf(ControlException.class)
                .hasMessageContaining("customers.nothing");
        assertThatThrownBy(() -> parent.anonymized("b", parent.rules(parent.rule("customers", "email", "hash()"))))
                .hasMessageContaining("unique or a key");
        assertThatThrownBy(() -> parent.anonymized("c", new RuleSet(RuleSet.Unlisted.REFUSE, List.of())))
                .hasMessageContaining("public.customers.city");
        assertThat(fixture.pages.timelines()).isEqualTo(before);
        Made everything = parent.anonymized("d", new RuleSet(RuleSet.Unlisted.MASK, List.of()));
        assertThat(parent.value(
                        everything.endpoint().orElseThrow().id(),
                        "SELECT count(*)::text FROM customers c WHERE c::text ILIKE '%canary%' OR city LIKE 'city%'"))
                .isEqualTo("0");
        assertThat(fixture.delete("/projects/" + parent.project + "/branches/"
                                + everything.branch().id())
                        .status())
                .isEqualTo(200);
        assertThat(fixture.pages.timelines()).isEqualTo(before);
    }

    @Test
    void a_superuser_of_the_branch_finds_nothing_original() throws Exception {
        MaskedParent parent = shopOf("attack");
        Made made = parent.anonymized(
                "masked",
                parent.rules(
                        parent.rule("customers", "email", "pseudonym_email()"),
                        parent.rule("customers", "name", "pseudonym()"),
                        parent.rule("customers", "note", "null()")));
        String parentTimeline = fixture.control
                .wiring()
                .ground
                .catalog()
                .inventory()
                .branch(parent.main)
                .orElseThrow()
                .timelineId();
        try (Connection connection =
                parent.connect(made.endpoint().orElseThrow().id())) {
            MaskedParent.execute(connection, "CREATE EXTENSION pageinspect");
            for (String probe : List.of(
                    "SELECT count(*)::text FROM customers WHERE email = 'canary7@example.com'",
                    "SELECT count(*)::text FROM customers WHERE name BETWEEN 'Canary' AND 'Canary 99'",
                    "SELECT count(*)::text FROM customers WHERE lower(name) LIKE 'canary%'",
                    "SELECT count(*)::text FROM pg_stats WHERE schemaname = 'public'",
                    "SELECT count(*)::text FROM generate_series(0, pg_relation_size('customers') / 8192 - 1) b,"
                            + " get_raw_page('customers', b::int) p WHERE position('anary'::bytea IN p) > 0",
                    "SELECT count(*)::text FROM generate_series(0, pg_relation_size('customers_email_key') / 8192 - 1) b,"
                            + " get_raw_page('customers_email_key', b::int) p WHERE position('canary'::bytea IN p) > 0",
                    "SELECT count(*)::text FROM pg_ls_waldir() w,"
                            + " pg_read_binary_file('pg_wal/' || w.name) p WHERE position('canary'::bytea IN p) > 0")) {
                assertThat(MaskedParent.column(connection, probe)).as(probe).containsExactly("0");
            }
            assertThatThrownBy(() -> MaskedParent.execute(
                            connection,
                            "INSERT INTO customers (id, email) SELECT 9999, email FROM customers WHERE id = 7"))
                    .hasMessageContaining("customers_email_key")
                    .hasMessageNotContaining("canary7");
            // Where computes of anonymized branches have a user of their own, programs cannot open the parent's files
            // either.
            String files =
                    fixture.data.resolve("timelines").resolve(parentTimeline).toString();
            if (System.getProperty("user.name").equals("root")) {
                assertThatThrownBy(() ->
                                MaskedParent.execute(connection, "COPY (SELECT 1) TO PROGRAM 'ls " + files + "/wal'"))
                        .isInstanceOf(SQLException.class);
                assertThatThrownBy(() -> MaskedParent.column(connection, "SELECT pg_ls_dir('" + files + "/journal')"))
                        .isInstanceOf(SQLException.class);
            }
        }
    }

    @Test
    void indexes_can_be_built_while_the_branch_of_a_protected_parent_is_used() throws Exception {
        MaskedParent parent = shopOf("background");
        assertThat(fixture.patch(
                                "/projects/" + parent.project + "/branches/" + parent.main,
                                "{\"branch\":{\"protected\":true}}")
                        .status())
                .isEqualTo(200);
        Made made = parent.workflow()
                .create(
                        parent.request("masked", parent.main, new BranchPointRequest.Head()),
                        parent.rules(
                                parent.rule("customers", "email", "pseudonym_email()"),
                                parent.rule("customers", "name", "pseudonym()"),
                                parent.rule("customers", "note", "null()")),
                        AnonymizeWorkflow.Indexes.BACKGROUND);
        String endpoint = made.endpoint().orElseThrow().id();
        assertThat(parent.value(endpoint, "SELECT count(*)::text FROM customers c WHERE c::text ILIKE '%canary%'"))
                .isEqualTo("0");
        await().atMost(Duration.ofSeconds(60))
                .until(() -> parent.declared()
                                .masking(parent.project, made.branch().id())
                                .orElseThrow()
                                .state()
                        == BranchMasking.State.ANONYMIZED);
        try (Connection connection = parent.connect(endpoint)) {
            assertThat(MaskedParent.column(
                            connection, "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"))
                    .isEmpty();
            assertThat(MaskedParent.findings(connection)).isEmpty();
        }
    }
}
