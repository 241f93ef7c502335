package dev.coppice.server;

import dev.coppice.control.catalog.Steps;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/**
 * A server as {@link Main} starts it, whose requests can be held between two of their durable steps until it is killed. A
 * number on standard input holds the next request at its step of that number.
 */
final class HeldServer {
    /** Printed, with the number, when it was understood. */
    static final String READY = "holding at step ";

    /** Printed when a request is held. */
    static final String HELD = "held";

    /** Of the threads that run requests; others take steps by the clock. */
    private static final String REQUESTS = "avaje-jex-http-";

    private HeldServer() {}

    private static final class Holder implements Steps {
        /** Steps of requests to go; 0 = none is held. */
        private int left;

        synchronized void holdAt(int step) {
            left = step;
        }

        private synchronized boolean isDue() {
            return left > 0 && --left == 0;
        }

        @Override
        public void between() {
            if (Thread.currentThread().getName().startsWith(REQUESTS) && isDue()) {
                System.out.println(HELD);
                try {
                    new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException("a held request ends with its process only", e);
                }
            }
        }
    }

    public static void main(String[] arguments) throws IOException {
        Holder holder = new Holder();
        CoppiceServer server = CoppiceServer.start(ServerOptions.read(List.of(arguments), System.getenv()), holder);
        Runtime.getRuntime().addShutdownHook(new Thread(server::close));
        System.out.println(ServerProcess.READY);
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String step = commands.readLine(); step != null; step = commands.readLine()) {
            holder.holdAt(Integer.parseInt(step));
            System.out.println(READY + step);
        }
    }
}
