package dev.coppice.compute;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Sends signals that {@link ProcessHandle} cannot: its {@code destroy} is SIGTERM, on which Postgres waits for its clients
 * to leave.
 */
public enum Signals {
    /** Postgres: immediate shutdown, without a checkpoint. */
    QUIT(3),
    /** Postgres: fast shutdown, with a checkpoint. */
    INT(2),
    KILL(9);

    @SuppressWarnings("restricted")
    private static final MethodHandle KILL_FUNCTION = Linker.nativeLinker()
            .downcallHandle(
                    Linker.nativeLinker().defaultLookup().findOrThrow("kill"),
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    private final int number;

    Signals(int number) {
        this.number = number;
    }

    /** Whether the signal was delivered; not when the process is gone. */
    public boolean send(long pid) {
        if (pid <= 1) {
            // 0, -1 and other negative numbers address groups of processes.
            throw new IllegalArgumentException("not a process of ours: " + pid);
        }
        try {
            return (int) KILL_FUNCTION.invokeExact((int) pid, number) == 0;
        } catch (Throwable e) {
            throw new IllegalStateException("kill(" + pid + ", " + number + ")", e);
        }
    }
}
