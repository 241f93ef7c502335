package dev.coppice.server;

import dev.coppice.common.config.ConfigurationException;
import dev.coppice.common.config.CoppiceConfiguration;
import dev.coppice.common.config.DataDirectory;
import java.io.Console;
import java.lang.management.ManagementFactory;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/**
 * The server's process: {@code ./coppice up}. Exit codes: 0 stopped, 1 could not start, 2 wrong options or configuration, 129
 * stopped because its terminal was closed.
 */
public final class Main {
    private static final int COULD_NOT_START = 1;
    private static final int WRONG_CONFIGURATION = 2;
    private static final int HUNG_UP = 129;

    private static final AtomicBoolean STOPPING = new AtomicBoolean();
    private static final ServiceNotification NOTIFICATION = new ServiceNotification(System.getenv());

    private Main() {}

    /** Runs until SIGINT or SIGTERM, then suspends all computes and stops. */
    public static void main(String[] arguments) throws InterruptedException {
        CoppiceConfiguration configuration;
        try {
            configuration = ServerOptions.read(List.of(arguments), System.getenv());
        } catch (ConfigurationException e) {
            System.err.println("error: " + e.getMessage());
            System.exit(WRONG_CONFIGURATION);
            return;
        }
        // Before the first logger exists: logback reads it once.
        System.setProperty(
                "coppice.log.level", configuration.logging().level().name().toLowerCase(Locale.ROOT));
        SLF4JBridgeHandler.removeHandlersForRootLogger();
        SLF4JBridgeHandler.install();
        ControllingTerminal terminal = new ControllingTerminal(ReloadSignal.isIgnored());
        CompletableFuture<CoppiceServer> starting = new CompletableFuture<>();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(starting), "stop"));
        CoppiceServer server;
        try {
            server = CoppiceServer.start(configuration);
            starting.complete(server);
        } catch (RuntimeException e) {
            starting.completeExceptionally(e);
            LoggerFactory.getLogger(Main.class).debug("The start failed", e);
            if (STOPPING.get()) {
                // A start that a signal interrupts has cleaned up after itself; that it failed is not news.
                return;
            }
            System.err.println("error: " + e.getMessage());
            for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
                System.err.println("  because: " + reason(cause));
            }
            System.exit(COULD_NOT_START);
            return;
        }
        ReloadSignal.install(() -> hangUp(terminal, server, List.of(arguments)));
        System.out.print(banner(server, configuration).text(showsSecrets(List.of(arguments))));
        System.out.flush();
        NOTIFICATION.ready();
        new CountDownLatch(1).await();
    }

    /** Whoever closes the window wants the server in it to end; {@code kill -HUP} means its configuration. */
    private static void hangUp(ControllingTerminal terminal, CoppiceServer server, List<String> arguments) {
        if (terminal.isGone()) {
            System.exit(HUNG_UP);
        }
        reload(server, arguments);
    }

    private static void reload(CoppiceServer server, List<String> arguments) {
        try {
            server.reload(ServerOptions.read(arguments, System.getenv()));
        } catch (RuntimeException e) {
            LoggerFactory.getLogger(Main.class).error("The configuration stays as it was: {}", e.getMessage());
            for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
                LoggerFactory.getLogger(Main.class).error("  because: {}", reason(cause));
            }
        }
    }

    /** A start under way is let finish or fail first: it alone knows what it has started. */
    private static void stop(CompletableFuture<CoppiceServer> starting) {
        STOPPING.set(true);
        NOTIFICATION.stopping();
        if (!starting.isDone()) {
            System.err.println("Stopping as soon as the start is over.");
        }
        CoppiceServer server = starting.exceptionally(_ -> null).join();
        if (server != null) {
            System.err.println("Stopping: suspending all computes.");
            server.close();
        }
    }

    /** The message of a missing file or a denied access is only its path. */
    private static String reason(Throwable cause) {
        String message = String.valueOf(cause.getMessage());
        return switch (cause) {
            case NoSuchFileException _ -> message + ": no such file or directory";
            case AccessDeniedException _ -> message + ": permission denied";
            default -> message;
        };
    }

    /** What is printed elsewhere than to a person stays in journals and log collectors. */
    private static boolean showsSecrets(List<String> arguments) {
        return Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent()
                || ServerOptions.printSecrets(arguments, System.getenv());
    }

    private static Banner banner(CoppiceServer server, CoppiceConfiguration configuration) {
        long started = ManagementFactory.getRuntimeMXBean().getStartTime();
        return new Banner(
                server.welcome().connectionString().orElse("(there is no default branch with a known password)"),
                server.welcome().apiUrl(),
                server.welcome().apiKey(),
                configuration.dataDirectory().orElseThrow(),
                DataDirectory.standard(System.getenv()),
                Duration.ofMillis(System.currentTimeMillis() - started));
    }
}
