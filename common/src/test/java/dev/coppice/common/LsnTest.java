package dev.coppice.common;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class LsnTest {
    @Test
    void prints_and_parses_the_text_form_of_postgres() {
        assertThat(Lsn.parse("16/B374D848")).isEqualTo(new Lsn(0x16_B374D848L));
        assertThat(Lsn.parse("16/b374d848").toString()).isEqualTo("16/B374D848");
        assertThat(Lsn.ZERO.toString()).isEqualTo("0/0");
    }

    @Test
    void compares_unsigned() {
        assertThat(Lsn.parse("FFFFFFFF/0").isAfter(Lsn.parse("1/0"))).isTrue();
    }

    @Test
    void refuses_other_text_and_names_it() {
        assertThatThrownBy(() -> Lsn.parse("main")).hasMessageContaining("\"main\"");
        assertThatThrownBy(() -> Lsn.parse("123456789/0")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void positions_compare_unsigned_across_the_sign() {
        long low = Long.MAX_VALUE;
        long high = Long.MIN_VALUE;

        assertThat(Lsn.isBefore(low, high)).isTrue();
        assertThat(Lsn.isBefore(high, low)).isFalse();
        assertThat(Lsn.isBefore(low, low)).isFalse();
        assertThat(Lsn.min(low, high)).isEqualTo(low);
        assertThat(Lsn.max(low, high)).isEqualTo(high);
        assertThat(Lsn.distance(low, high)).isEqualTo(1);
        assertThat(Lsn.distance(high, low)).isZero();
    }
}
