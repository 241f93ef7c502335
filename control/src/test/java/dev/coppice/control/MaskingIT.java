package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.control.branch.Made;
import dev.coppice.control.catalog.BranchMasking;
import java.io.IOException;
import java.sql.Connection;
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
        assertThat(parent.workflow().masking(parent.project, made.branch().id()))
                .get()
                .extracting(BranchMasking::state)
                .isEqualTo(BranchMasking.State.ANONYMIZED);
    }
}
