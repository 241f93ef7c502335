package dev.coppice.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SIGHUP, as Postgres, PgBouncer and nginx have it: read the configuration again. Without this the JVM takes it for a reason
 * to stop. The class for signals is not part of the documented JDK and cannot be compiled against without a warning, so it is
 * looked up; where it is missing, the signal keeps its old meaning. With {@code nohup} a program starts with the signal ignored, and
 * then the JVM would let nobody have it.
 */
final class ReloadSignal {
    private static final Logger log = LoggerFactory.getLogger(ReloadSignal.class);

    private static final int HANG_UP = 1;
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final String IGNORED = "SigIgn:";

    private ReloadSignal() {}

    /** Whether the process ignores the signal, as it does from the start below {@code nohup}. */
    static boolean isIgnored() {
        try (Stream<String> lines = Files.lines(STATUS)) {
            return lines.filter(line -> line.startsWith(IGNORED))
                    .map(line -> line.substring(IGNORED.length()).strip())
                    .anyMatch(mask -> (Long.parseUnsignedLong(mask, 16) & 1L << (HANG_UP - 1)) != 0);
        } catch (IOException | UncheckedIOException unknown) {
            return false;
        }
    }

    /** {@code signal(SIGHUP, SIG_DFL)}: only then the JVM takes a handler for it. */
    @SuppressWarnings("restricted") // a call of the C library
    private static void stopIgnoring() {
        Linker linker = Linker.nativeLinker();
        MethodHandle signal = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("signal"),
                FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
        try {
            var _ = (MemorySegment) signal.invokeExact(HANG_UP, MemorySegment.NULL);
        } catch (Throwable e) {
            throw new IllegalStateException("signal(SIGHUP) cannot be called", e);
        }
    }

    /** @param reload run on a thread of its own for each signal */
    static void install(Runnable reload) {
        if (isIgnored()) {
            stopIgnoring();
        }
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object calls = Proxy.newProxyInstance(
                    ReloadSignal.class.getClassLoader(), new Class<?>[] {handler}, (_, method, arguments) -> {
                        if (!method.getName().equals("handle")) {
                            // hashCode, equals and toString.
                            return method.invoke(reload, arguments);
                        }
                        reload.run();
                        return null;
                    });
            Object hangUp = signal.getConstructor(String.class).newInstance("HUP");
            signal.getMethod("handle", signal, handler).invoke(null, hangUp, calls);
        } catch (ReflectiveOperationException | IllegalArgumentException e) {
            log.info("SIGHUP does not reload the configuration here: {}", e.toString());
        }
    }
}
