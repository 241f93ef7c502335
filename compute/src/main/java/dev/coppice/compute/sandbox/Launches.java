package dev.coppice.compute.sandbox;

import dev.coppice.compute.ComputeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs the launcher for its own sake. */
final class Launches {
    private static final long MAX_SECONDS = 30;

    private Launches() {}

    /**
     * Waits for its end.
     *
     * @return what it said
     * @throws ComputeException with what it said, when it failed
     */
    static String run(List<String> command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            if (!process.waitFor(MAX_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new ComputeException(String.join(" ", command) + " does not end");
            }
            if (process.exitValue() != 0) {
                throw new ComputeException(String.join(" ", command) + " failed: " + output);
            }
            return output;
        } catch (IOException e) {
            throw new ComputeException("cannot run " + command.getFirst(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ComputeException("interrupted while running " + command.getFirst(), e);
        }
    }
}
