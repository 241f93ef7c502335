package dev.coppice.server;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A row of the threat model: who wants what, by which means, and what is in the way.
 *
 * @param party who attacks
 * @param goal what he wants
 * @param means how he tries
 * @param mechanisms what stops him; any one of them is enough
 * @param attempt the attack itself
 */
record Attack(Party party, String goal, String means, Set<Mechanism> mechanisms, Attempt attempt) {
    /** From where an attack starts. */
    enum Party {
        /** Knows the connection string of an ordinary branch, whose owner role is a superuser there. */
        OWNER("owner of a branch"),
        /** The same of an anonymized branch, made for people who must not see originals. */
        ANONYMIZED("owner of an anonymized branch"),
        /** A role that was declared masked, in its view. */
        MASKED_ROLE("masked role");

        final String text;

        Party(String text) {
            this.text = text;
        }
    }

    /** What stands in the way. */
    enum Mechanism {
        /** An OS user for each timeline, one for the catalog; only of a server that is root. */
        OWN_USER("an OS user of its own"),
        /** File rules of the kernel that the compute's processes inherit. */
        LANDLOCK("Landlock file rules"),
        /** Signals, abstract sockets and ptrace end at the compute's own processes. */
        SCOPE("Landlock scopes"),
        /** Refused system calls. */
        SECCOMP("system call filter"),
        /** A program that belongs to root starts as the compute's user. */
        NO_NEW_PRIVILEGES("no_new_privs"),
        /** {@code compute.network}. */
        NETWORK("no network"),
        /** Limits of processes, memory and files. */
        LIMITS("resource limits"),
        /** The server opens nothing by a path that a compute could have changed, and follows no link there. */
        NO_FOLLOW("server follows no link"),
        /** The file lies where only the server may write. */
        SERVER_ONLY("server's own directory"),
        /** What the role may do in Postgres. */
        ROLE_POWER("powers of the role"),
        /** The agent serves one timeline and one epoch, of files that it knows. */
        AGENT_CHECK("agent's checks"),
        /** Whoever answers at a socket must be the compute's user, and the postmaster. */
        PEER_CHECK("peer of a socket"),
        /** The control plane's sessions have a path and settings of their own, and run nothing of a user's as superuser. */
        ADMIN_SESSION("control plane's own session"),
        /** What the kernel refuses to everybody but root, or does not have. */
        UNPRIVILEGED("unprivileged user"),
        /** The server reads what a compute wrote with bounds. */
        BOUNDED_READING("bounded reading");

        final String text;

        Mechanism(String text) {
            this.text = text;
        }
    }

    /** Tries it. */
    @FunctionalInterface
    interface Attempt {
        /**
         * The attack.
         *
         * @return what shows that it succeeded; empty when it failed
         */
        Optional<String> succeeds(Cage cage, Foothold from) throws Exception;
    }

    /** As a table of the threat model says it. */
    String row() {
        return party.text + ": " + goal + " | " + means + " | "
                + String.join(
                        " or ", mechanisms.stream().map(m -> m.text).sorted().toList());
    }

    /** Everything that is tried. */
    static List<Attack> all() {
        return java.util.stream.Stream.of(
                        ForeignFileAttacks.all(),
                        ProcessAttacks.all(),
                        SocketAttacks.all(),
                        KernelAttacks.all(),
                        TrapAttacks.all(),
                        AdministrationAttacks.all(),
                        ResourceAttacks.all())
                .flatMap(List::stream)
                .toList();
    }
}
