package dev.coppice.proxy.auth;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.proxy.TestVerifiers;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PasswordCheckerTest {
    private final PasswordChecker checker = new PasswordChecker();

    @AfterEach
    void close() {
        checker.close();
    }

    private static ScramVerifier verifier(String password, String salt) {
        return ScramVerifier.parse(TestVerifiers.verifier(password, salt.getBytes(UTF_8)))
                .orElseThrow();
    }

    private Optional<ScramKeys> learn(ScramVerifier verifier, String password) {
        return checker.learn(verifier, password).toCompletableFuture().join();
    }

    @Test
    void what_was_right_is_known_until_the_verifier_changes() {
        ScramVerifier before = verifier("secret", "one salt");
        assertThat(checker.known(before, "secret")).isEmpty();
        assertThat(learn(before, "secret")).isPresent();
        assertThat(checker.known(before, "secret")).isPresent();
        assertThat(checker.known(before, "Secret")).isEmpty();
        assertThat(checker.known(verifier("changed", "one salt"), "secret")).isEmpty();
        assertThat(checker.known(verifier("secret", "other salt"), "secret")).isEmpty();
    }

    @Test
    void what_was_wrong_is_not_remembered() {
        ScramVerifier verifier = verifier("secret", "salt");
        assertThat(learn(verifier, "guess")).isEmpty();
        assertThat(checker.known(verifier, "guess")).isEmpty();
    }

    @Test
    void a_crowd_that_asks_the_same_takes_one_place_in_the_queue() {
        ScramVerifier verifier = verifier("secret", "salt");
        List<CompletionStage<Optional<ScramKeys>>> crowd = new ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            crowd.add(checker.learn(verifier, "secret"));
        }
        assertThat(crowd.stream().map(CompletionStage::toCompletableFuture).map(CompletableFuture::join))
                .allMatch(Optional::isPresent);
    }
}
