package dev.coppice.server;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.coppice.server.Attack.Mechanism;
import java.util.EnumSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The threat model ({@code docs/security.md}), tried on a server that is root: nobody gets out of a branch. Each attack is a row of
 * who, what for, by which means, and what stops him.
 */
class CageIT {
    @TestFactory
    Stream<DynamicTest> nothing_gets_out_of_a_branch() throws Exception {
        assumeRoot();
        return new AttackRun(Cage.start("cag", null), EnumSet.allOf(Mechanism.class)).held();
    }

    private static void assumeRoot() {
        assumeTrue(
                System.getProperty("user.name").equals("root"), "only root can give each timeline a user of its own");
        assumeTrue(System.getProperty("os.arch").equals("amd64"), "the numbers of system calls are those of x86-64");
    }
}
