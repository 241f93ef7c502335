package dev.coppice.proxy.http.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConnectionStringTest {
    @Test
    void a_uri_is_taken_apart_and_decoded() {
        ConnectionString parsed = ConnectionString.parse(
                "postgres://al%40ice:p%3Aa%2Fs%3Fs+w@ep-a-1.localhost:5432/my%20db?sslmode=require"
                        + "&options=-c+work_mem%3D8MB%20endpoint%3Dep-b&application_name=a%2Bb#rest");
        assertThat(parsed.host()).isEqualTo("ep-a-1.localhost");
        assertThat(parsed.password()).isEqualTo("p:a/s?s+w");
        assertThat(parsed.parameters())
                .isEqualTo(Map.of(
                        "user", "al@ice",
                        "database", "my db",
                        "options", "-c work_mem=8MB endpoint=ep-b",
                        "application_name", "a+b"));
        assertThat(parsed.toString()).doesNotContain("p:a/s");
    }

    @Test
    void the_least_is_a_role_and_a_password() {
        ConnectionString parsed = ConnectionString.parse("postgresql://alice:secret@[::1]:5433");
        assertThat(parsed.host()).isEqualTo("[::1]");
        assertThat(parsed.parameters()).isEqualTo(Map.of("user", "alice"));
    }

    @ParameterizedTest
    @CsvSource({
        "'', begin with postgresql",
        "http://a:b@c/d, begin with postgresql",
        "postgresql://, names no role",
        "postgresql://:secret@host/db, names no role",
        "postgresql://alice@host/db, no password",
        "postgresql://alice:%zz@host/db, percent-encoding",
        "postgresql://alice:s@host/d%00b, zero byte"
    })
    void what_is_none_is_refused(String text, String reason) {
        assertThatThrownBy(() -> ConnectionString.parse(text))
                .isInstanceOf(BadRequestException.class)
                .hasMessageContaining(reason);
    }
}
