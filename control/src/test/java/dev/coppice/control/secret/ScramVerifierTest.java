package dev.coppice.control.secret;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.SecureRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScramVerifierTest {
    /** The exchange of RFC 7677 section 3: user "user", password "pencil". */
    private static final String RFC_7677 = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
            + "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

    @Test
    void a_verifier_matches_its_password_and_no_other() {
        assertThat(ScramVerifier.matches("pencil", RFC_7677)).isTrue();
        assertThat(ScramVerifier.matches("Pencil", RFC_7677)).isFalse();
        String made = ScramVerifier.create("secret", new SecureRandom());
        assertThat(made).matches("SCRAM-SHA-256\\$4096:[A-Za-z0-9+/]{22}==\\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=");
        assertThat(ScramVerifier.matches("secret", made)).isTrue();
        assertThat(ScramVerifier.matches("", made)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "md5d5d6e4b5c6a7f8e9d0c1b2a3f4e5d6c7",
                "SCRAM-SHA-256$",
                "SCRAM-SHA-256$x:y$z",
                "SCRAM-SHA-256$4096:!!$a:b",
                "SCRAM-SHA-256$4096",
                "SCRAM-SHA-256$99999999999:AA==$a:b",
                "SCRAM-SHA-256$0:AA==$a:b",
                "SCRAM-SHA-256$4096:$a:b"
            })
    void what_is_no_verifier_matches_nothing(String stored) {
        assertThat(ScramVerifier.matches("pencil", stored)).isFalse();
    }
}
