package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.server.Attack.Mechanism;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;

/** All attacks on one server, a test for each. */
final class AttackRun {
    private final Cage cage;
    private final Set<Mechanism> there;

    /** @param there what stands in the way on this server */
    AttackRun(Cage cage, Set<Mechanism> there) {
        this.cage = cage;
        this.there = there;
    }

    /** What is stopped must fail. The server is closed after the last, and then what it ran on. */
    Stream<DynamicTest> held(AutoCloseable... then) {
        return tests(Attack.all().stream().filter(attack -> !isOpen(attack)).toList(), then);
    }

    /**
     * As {@link #held}, of a server where mechanisms are switched off: what only these stop must succeed, or the attack shows nothing.
     */
    Stream<DynamicTest> heldOrOpen(AutoCloseable... then) {
        // A masked role has the same powers there, or cannot be had at all.
        return tests(
                Attack.all().stream()
                        .filter(attack -> attack.party() != Attack.Party.MASKED_ROLE)
                        .toList(),
                then);
    }

    private boolean isOpen(Attack attack) {
        return Collections.disjoint(attack.mechanisms(), there);
    }

    private Stream<DynamicTest> tests(List<Attack> attacks, AutoCloseable... then) {
        return Stream.concat(
                attacks.stream().map(attack -> DynamicTest.dynamicTest(attack.row(), () -> check(attack))),
                Stream.of(DynamicTest.dynamicTest("the server ends, and leaves nothing", () -> {
                    try (cage) {
                        cage.assertOthersGoOn();
                    } finally {
                        for (AutoCloseable each : then) {
                            each.close();
                        }
                    }
                })));
    }

    private void check(Attack attack) throws Exception {
        Optional<String> success = attack.attempt().succeeds(cage, cage.from(attack.party()));
        if (isOpen(attack)) {
            assertThat(success)
                    .as("with nothing in the way it succeeds: %s", attack.row())
                    .isNotEmpty();
        } else {
            assertThat(success).as(attack.row()).isEmpty();
        }
    }
}
