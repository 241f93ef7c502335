package dev.coppice.cli.output;

import java.io.Console;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Optional;

/** Tells a person at a terminal that an answer takes more than a second, and for how long it has. */
public final class Spinner implements AutoCloseable {
    private static final Duration QUIET = Duration.ofSeconds(1);
    private static final Duration STEP = Duration.ofMillis(500);

    private final Thread thread;
    private final PrintWriter out;
    private volatile int drawn;

    private Spinner(PrintWriter out) {
        this.out = out;
        this.thread = Thread.ofVirtual().unstarted(this::run);
    }

    /** Begins; nothing is shown where no person looks. */
    public static Spinner begin(PrintWriter err) {
        Spinner spinner = new Spinner(err);
        if (Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent()) {
            spinner.thread.start();
        }
        return spinner;
    }

    private void run() {
        long begun = System.nanoTime();
        try {
            Thread.sleep(QUIET);
            while (true) {
                String line = "spinner for the server, "
                        + Duration.ofNanos(System.nanoTime() - begun).toSeconds() + " s";
                out.print("\r" + line);
                out.flush();
                drawn = line.length();
                Thread.sleep(STEP);
            }
        } catch (InterruptedException answered) {
            Thread.currentThread().interrupt();
        }
    }

    /** Wipes the line. */
    @Override
    public void close() {
        thread.interrupt();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (drawn > 0) {
            out.print("\r" + " ".repeat(drawn) + "\r");
            out.flush();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
