package dev.coppice.control.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.control.error.ControlException;
import dev.coppice.control.secret.Tokens;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class SignInLinksTest {
    private Instant now = Instant.parse("2026-01-02T03:04:05Z");
    private final SignInLinks links = new SignInLinks(new Tokens(new SecureRandom()), new Clock() {
        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return now;
        }
    });

    @Test
    void a_link_is_good_once() {
        SignInLinks.Made made = links.make(7);
        assertThat(Tokens.isLink(made.secret())).isTrue();
        assertThat(links.redeem(made.secret())).contains(7L);
        assertThat(links.redeem(made.secret())).isEmpty();
        assertThat(links.redeem("coppice_link_unheardof")).isEmpty();
    }

    @Test
    void a_link_is_good_for_a_minute() {
        SignInLinks.Made early = links.make(7);
        SignInLinks.Made late = links.make(7);
        now = now.plusSeconds(59);
        assertThat(links.redeem(early.secret())).contains(7L);
        now = now.plusSeconds(1);
        assertThat(links.redeem(late.secret())).isEmpty();
    }

    @Test
    void so_many_wait_to_be_used_and_no_more() {
        for (int i = 0; i < SignInLinks.MOST; i++) {
            links.make(7);
        }
        assertThatThrownBy(() -> links.make(7))
                .isInstanceOf(ControlException.class)
                .hasMessageContaining("a minute");
        now = now.plusSeconds(60);
        assertThat(links.redeem(links.make(7).secret())).contains(7L);
    }

    @Test
    void a_session_ends_when_it_is_not_used_and_at_last_in_any_case() {
        Session fresh = new Session(1, 7, now, now, "127.0.0.1", "");
        assertThat(fresh.isOver(now.plus(Duration.ofHours(11)))).isFalse();
        assertThat(fresh.isOver(now.plus(Duration.ofHours(12)))).isTrue();
        Session used = fresh.usedAt(now.plus(Duration.ofDays(7)).minusSeconds(1));
        assertThat(used.isOver(now.plus(Duration.ofDays(7)).minusSeconds(1))).isFalse();
        assertThat(used.isOver(now.plus(Duration.ofDays(7)))).isTrue();
    }
}
