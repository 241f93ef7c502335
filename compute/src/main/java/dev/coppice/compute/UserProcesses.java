package dev.coppice.compute;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The processes of a user that belongs to one timeline alone: whatever a program in a compute has left, in which session ever. */
final class UserProcesses {
    private static final Logger log = LoggerFactory.getLogger(UserProcesses.class);
    private static final Path PROC = Path.of("/proc");
    private static final Duration KILL_MAX = Duration.ofSeconds(10);

    private UserProcesses() {}

    /**
     * Ends all of them.
     *
     * @throws ComputeException when some are there after ten seconds
     */
    static void end(ComputeUser user, ComputeDriver driver) throws InterruptedException {
        if (user.own()) {
            return;
        }
        long deadline = System.nanoTime() + KILL_MAX.toNanos();
        for (int round = 0; users(PROC).contains(user.uid()); round++) {
            if (System.nanoTime() - deadline > 0) {
                throw new ComputeException(
                        "processes of " + user.name() + " cannot be ended: look with \"ps -u " + user.uid() + "\"");
            }
            if (round == 0) {
                log.info("Ending what is left of {}", user.name());
            }
            driver.endAllOf(user);
            Thread.sleep(1);
        }
    }

    /** The users, real and effective, of all processes that live. A zombie does nothing any more. */
    static Set<Integer> users(Path proc) {
        Set<Integer> users = new HashSet<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(proc, "[0-9]*")) {
            for (Path process : processes) {
                addUsers(process, users);
            }
        } catch (IOException e) {
            throw new ComputeException("cannot look for processes in " + proc, e);
        }
        return users;
    }

    private static void addUsers(Path process, Set<Integer> users) {
        try {
            String state = "";
            for (String line : Files.readString(process.resolve("status"), StandardCharsets.ISO_8859_1)
                    .split("\n")) {
                if (line.startsWith("State:")) {
                    state = line.substring("State:".length()).strip();
                } else if (line.startsWith("Uid:") && !state.startsWith("Z") && !state.startsWith("X")) {
                    for (String uid : line.substring("Uid:".length()).strip().split("\\s+")) {
                        users.add((int) Long.parseLong(uid));
                    }
                }
            }
        } catch (IOException e) {
            log.trace("{} has ended meanwhile", process);
        }
    }
}
