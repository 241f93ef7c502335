package dev.coppice.compute;

import dev.coppice.compute.sandbox.Isolation;
import dev.coppice.compute.sandbox.Limits;
import dev.coppice.compute.sandbox.SandboxPolicy;
import dev.coppice.compute.sandbox.SandboxSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;

/** Where the processes of computes run: the seam that another place than this machine would replace. */
public interface ComputeDriver {
    /**
     * What to start.
     *
     * @param command the program and its arguments
     * @param environment the whole environment; nothing of this process's is added
     * @param dataDirectory its working directory, by which its processes are found again
     * @param log where its standard output and error are appended
     * @param user whom it runs as
     * @param memory its shared memory, made anew
     * @param policy what it may reach
     * @param limits what it may take of the machine
     */
    record Launch(
            List<String> command,
            Map<String, String> environment,
            Path dataDirectory,
            Path log,
            ComputeUser user,
            MemoryDirectory memory,
            SandboxPolicy policy,
            Limits limits) {}

    /** How to ask a compute to end. */
    enum Shutdown {
        /** Disconnect clients, write a checkpoint, exit. */
        FAST,
        /** Exit without a checkpoint; the next start recovers. */
        IMMEDIATE,
        /** The operating system ends the postmaster; its children notice. */
        KILL
    }

    /** How well the computes of this place are kept apart. */
    Isolation isolation();

    /** What is wanted of it. */
    SandboxSettings sandboxSettings();

    /** A running postmaster. */
    interface Instance {
        long pid();

        boolean isAlive();

        /** Completes when the postmaster is gone, with its exit status when that can be known. */
        CompletableFuture<OptionalInt> exit();

        /** Asks it to end; nothing happens when it is gone. */
        void shutDown(Shutdown how);
    }

    /** Ends every process of a user that belongs to one timeline alone. */
    void endAllOf(ComputeUser user);

    /**
     * Starts a process that does not end with this one.
     *
     * @throws ComputeException when it cannot be started at all
     */
    Instance start(Launch launch);

    /** A process started by an earlier server, by its id; empty when it is gone or works elsewhere. */
    Optional<Instance> find(long pid, Path dataDirectory);

    /** Ends whatever a compute that has ended left running, as far as this driver can tell. */
    void endStrays(Path dataDirectory);

    /** Ends at once every process that works in a data directory, and what these started. */
    void killAll(Path dataDirectory);
}
