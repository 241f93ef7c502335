package dev.coppice.storage.io;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The scheduling priority of a platform thread: Java's own priorities do nothing on Linux without privileges. */
public final class ThreadPriority {
    private static final Logger LOG = LoggerFactory.getLogger(ThreadPriority.class);
    private static final int PRIO_PROCESS = 0;
    private static final int CALLER = 0;
    private static final int NICE = 10;

    @SuppressWarnings("restricted")
    private static final MethodHandle SETPRIORITY = Linker.nativeLinker()
            .downcallHandle(
                    Linker.nativeLinker().defaultLookup().findOrThrow("setpriority"),
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    private ThreadPriority() {}

    /** Lets others go first from now on: on Linux a nice value is the calling thread's own. */
    public static void lower() {
        try {
            if ((int) SETPRIORITY.invokeExact(PRIO_PROCESS, CALLER, NICE) != 0) {
                LOG.debug(
                        "the thread {} keeps its priority",
                        Thread.currentThread().getName());
            }
        } catch (Throwable e) {
            throw new IllegalStateException("setpriority", e);
        }
    }
}
