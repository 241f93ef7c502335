package dev.coppice.compute;

import dev.coppice.compute.sandbox.Isolation;
import dev.coppice.compute.sandbox.Sandbox;
import dev.coppice.compute.sandbox.SandboxSettings;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Computes as processes of this machine, as the user of {@link ComputeUser}, in a sandbox of the kernel. Each is a session of its own, so
 * that neither the end of this process nor a Ctrl-C at its terminal reaches it.
 */
public final class LocalProcessDriver implements ComputeDriver {
    private static final Logger log = LoggerFactory.getLogger(LocalProcessDriver.class);
    private static final Path PROC = Path.of("/proc");
    private static final long ADOPTED_POLL_MILLIS = 50;

    /** PF_EXITING of include/linux/sched.h. */
    private static final long FLAG_EXITING = 4;

    private final Sandbox sandbox;

    public LocalProcessDriver(Sandbox sandbox) {
        this.sandbox = sandbox;
    }

    @Override
    public Isolation isolation() {
        return sandbox.isolation();
    }

    @Override
    public SandboxSettings sandboxSettings() {
        return sandbox.settings();
    }

    @Override
    public Instance start(Launch launch) {
        List<String> command = sandbox.command(
                launch.memory().name(),
                launch.user(),
                launch.policy(),
                launch.limits(),
                launch.environment(),
                launch.command());
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(launch.dataDirectory().toFile())
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(ProcessBuilder.Redirect.appendTo(launch.log().toFile()))
                .redirectErrorStream(true);
        // Whoever may use COPY FROM PROGRAM sees the environment; this process's is none of their business.
        builder.environment().clear();
        try {
            launch.memory().prepare(launch.user());
            Process process = builder.start();
            return new LocalInstance(
                    process.pid(), process.onExit().thenApply(ended -> OptionalInt.of(ended.exitValue())));
        } catch (IOException e) {
            throw new ComputeException("cannot start " + String.join(" ", launch.command()), e);
        }
    }

    @Override
    public Optional<Instance> find(long pid, Path dataDirectory) {
        if (!isAlive(pid) || !worksIn(PROC.resolve(Long.toString(pid)), dataDirectory)) {
            return Optional.empty();
        }
        CompletableFuture<OptionalInt> exit = new CompletableFuture<>();
        Thread.ofVirtual().name("watch " + pid).start(() -> watch(pid, dataDirectory, exit));
        return Optional.of(new LocalInstance(pid, exit));
    }

    @Override
    public void endStrays(Path dataDirectory) {
        sandbox.end(MemoryDirectory.of(dataDirectory).name());
    }

    @Override
    public void killAll(Path dataDirectory) {
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path process : processes) {
                if (worksIn(process, dataDirectory)) {
                    long pid = Long.parseLong(process.getFileName().toString());
                    log.info("Ending process {} in {}", pid, dataDirectory);
                    boolean gone = !Signals.KILL.send(pid);
                    log.debug("Process {} was {}", pid, gone ? "gone" : "there");
                }
            }
            endStrays(dataDirectory);
            MemoryDirectory.of(dataDirectory).remove();
        } catch (IOException e) {
            throw new ComputeException("cannot look for processes in " + dataDirectory, e);
        }
    }

    @Override
    public void endAllOf(ComputeUser user) {
        sandbox.endAllOf(user);
    }

    /** Another process's child gives no exit status and no event, so this looks. */
    private static void watch(long pid, Path dataDirectory, CompletableFuture<OptionalInt> exit) {
        try {
            while (isAlive(pid) && worksIn(PROC.resolve(Long.toString(pid)), dataDirectory)) {
                Thread.sleep(ADOPTED_POLL_MILLIS);
            }
            exit.complete(OptionalInt.empty());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            exit.completeExceptionally(e);
        }
    }

    /**
     * Not for a zombie either: where nobody reaps, a dead compute stays one; and not for a process that has closed its
     * sockets on the way to its end. See proc_pid_stat(5).
     */
    private static boolean isAlive(long pid) {
        try {
            String stat = Files.readString(PROC.resolve(pid + "/stat"));
            // pid (comm) state ppid pgrp session tty_nr tpgid flags ...; comm may contain anything, also parentheses.
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", 8);
            boolean dead = fields[0].equals("Z") || fields[0].equals("X");
            return !dead && (Long.parseLong(fields[6]) & FLAG_EXITING) == 0;
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean worksIn(Path process, Path dataDirectory) {
        try {
            return Files.readSymbolicLink(process.resolve("cwd")).equals(dataDirectory.toRealPath());
        } catch (IOException e) {
            // Gone, a zombie, or not ours to look at.
            return false;
        }
    }

    private record LocalInstance(long pid, CompletableFuture<OptionalInt> exit) implements Instance {
        @Override
        public boolean isAlive() {
            return !exit.isDone() && LocalProcessDriver.isAlive(pid);
        }

        @Override
        public void shutDown(Shutdown how) {
            if (!isAlive()) {
                return;
            }
            boolean delivered = switch (how) {
                case FAST -> Signals.INT.send(pid);
                case IMMEDIATE -> Signals.QUIT.send(pid);
                case KILL -> Signals.KILL.send(pid);
            };
            if (!delivered) {
                log.debug("Process {} was gone before it could be asked to end", pid);
            }
        }
    }
}
