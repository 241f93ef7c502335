package dev.coppice.control.api.view;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ConnectionStringsTest {
    @Test
    void parts_are_percent_encoded_so_that_the_string_can_be_used_as_it_is() {
        assertThat(new ConnectionStrings("127.0.0.1", 5433).of("an n", "p@ss/w:d", "d?b", "ep-a-b-1"))
                .isEqualTo("postgresql://an%20n:p%40ss%2Fw%3Ad@127.0.0.1:5433/d%3Fb?options=endpoint%3Dep-a-b-1");
    }
}
