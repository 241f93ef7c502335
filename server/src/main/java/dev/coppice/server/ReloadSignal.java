package dev.coppice.server;

import java.lang.reflect.Proxy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SIGHUP, as Postgres, PgBouncer and nginx have it: read the configuration again. Without this the JVM takes it for a reason
 * to stop. The class for signals is not part of the documented JDK and cannot be compiled against without a warning, so it is
 * looked up; where it is missing, the signal keeps its old meaning.
 */
final class ReloadSignal {
    private static final Logger log = LoggerFactory.getLogger(ReloadSignal.class);

    private ReloadSignal() {}

    /** @param reload run on a thread of its own for each signal */
    static void install(Runnable reload) {
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
