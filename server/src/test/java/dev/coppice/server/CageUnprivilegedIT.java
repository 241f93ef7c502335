package dev.coppice.server;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.coppice.server.Attack.Mechanism;
import java.io.IOException;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** As {@link CageIT}, on a server of an ordinary user, whose computes are all that user's. */
class CageUnprivilegedIT {
    /** What only a server that is root has. */
    private static final Set<Mechanism> OF_ROOT =
            EnumSet.of(Mechanism.OWN_USER, Mechanism.SERVER_ONLY, Mechanism.LIMITS);

    @TestFactory
    Stream<DynamicTest> without_root_the_sandbox_holds_what_it_governs() throws Exception {
        return run("cau", EnumSet.complementOf(EnumSet.copyOf(OF_ROOT)));
    }

    private static Stream<DynamicTest> run(String name, Set<Mechanism> there) throws Exception {
        assumeTrue(OtherUser.isPossible(), "a user for the server can be made by root only, with useradd and setpriv");
        assumeTrue(System.getProperty("os.arch").equals("amd64"), "the numbers of system calls are those of x86-64");
        OtherUser user = OtherUser.create();
        try {
            AttackRun run = new AttackRun(Cage.start(name, user), there);
            return run.held(user);
        } catch (IOException | RuntimeException | Error e) {
            user.close();
            throw e;
        }
    }
}
