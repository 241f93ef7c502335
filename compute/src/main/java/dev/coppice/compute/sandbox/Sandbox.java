package dev.coppice.compute.sandbox;

import dev.coppice.compute.ComputeException;
import dev.coppice.compute.ComputeUser;
import dev.coppice.compute.NativeFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the commands that start Postgres's programs in a sandbox, as the launcher {@code coppice-cage} builds it. What the kernel
 * offers is found once. Thread-safe.
 */
public final class Sandbox {
    /** A kernel with ABI 1 refuses to rename a file into another directory, which Postgres and the archive of WAL need. */
    private static final int LANDLOCK_MIN = 2;

    /** The newest whose rights the launcher knows. */
    private static final int LANDLOCK_KNOWN = 7;

    private static final int LANDLOCK_TRUNCATE = 3;
    private static final int LANDLOCK_NETWORK = 4;

    /** Signals and abstract sockets: without it, computes of one user end each other. */
    private static final int LANDLOCK_SCOPES = 6;

    /** Of 1000 in proc_pid_oom_score_adj(5): when memory is short, a compute goes before the server does. */
    private static final int SCORE = 500;

    private static final Logger log = LoggerFactory.getLogger(Sandbox.class);

    private final Path launcher;
    private final SandboxSettings settings;
    private final KernelSupport kernel;
    private final boolean root;
    private final Isolation isolation;
    private final Optional<ControlGroups> groups;

    private Sandbox(
            Path launcher,
            SandboxSettings settings,
            KernelSupport kernel,
            boolean root,
            Optional<ControlGroups> groups) {
        this.launcher = launcher;
        this.settings = settings;
        this.kernel = kernel;
        this.root = root;
        this.groups = groups;
        this.isolation = isolation(settings.mode(), kernel, root, groups.isPresent());
    }

    /**
     * Unpacks the launcher into a directory and finds out what there is; one line of the log says so.
     *
     * @param settings where the mode says nothing else, computes start with what there is
     */
    public static Sandbox prepare(Path directory, SandboxSettings settings) {
        Path launcher = NativeFile.prepare(directory, "coppice-cage", "").toAbsolutePath();
        boolean root = Root.isSelf();
        Optional<ControlGroups> groups =
                root && settings.mode() != SandboxSettings.Mode.OFF ? ControlGroups.find() : Optional.empty();
        Sandbox sandbox = new Sandbox(launcher, settings, KernelSupport.probe(launcher), root, groups);
        String text = sandbox.isolation.text();
        if (sandbox.isolation.confines()) {
            log.info("Isolation of computes: {}", text);
        } else {
            log.warn("Isolation of computes: {}", text);
        }
        return sandbox;
    }

    /** With what the kernel offers, and network for all: for tools and tests. */
    public static Sandbox preferred(Path directory) {
        return prepare(
                directory,
                new SandboxSettings(
                        SandboxSettings.Mode.PREFERRED, SandboxSettings.Network.ALL, SandboxSettings.Network.NONE));
    }

    /** How computes are kept apart here. */
    public Isolation isolation() {
        return isolation;
    }

    /** What is wanted. */
    public SandboxSettings settings() {
        return settings;
    }

    static Isolation isolation(SandboxSettings.Mode mode, KernelSupport kernel, boolean root, boolean limits) {
        if (mode == SandboxSettings.Mode.OFF) {
            return new Isolation(Isolation.Level.NONE, List.of("compute.isolation is off"));
        }
        List<String> missing = new ArrayList<>();
        if (kernel.landlock() < LANDLOCK_MIN) {
            missing.add("Landlock ABI 2: Linux 5.19 or newer, with \"landlock\" in its list of security modules");
        }
        if (!kernel.filter()) {
            missing.add("filters of system calls (seccomp)");
        }
        boolean whole = missing.isEmpty() && (root || kernel.landlock() >= LANDLOCK_SCOPES);
        if (missing.isEmpty()) {
            if (kernel.landlock() < LANDLOCK_TRUNCATE) {
                missing.add("truncation of files in Landlock: Linux 6.2");
            }
            if (kernel.landlock() < LANDLOCK_NETWORK) {
                missing.add("TCP in Landlock: Linux 6.7");
            }
            if (kernel.landlock() < LANDLOCK_SCOPES) {
                missing.add("signals in Landlock: Linux 6.12");
            }
        }
        if (!root) {
            missing.add("users of their own and limits of memory and processes: the server is not root");
        } else if (!limits) {
            missing.add("limits of memory and processes: control groups that can be written");
        }
        if (!whole) {
            return new Isolation(Isolation.Level.NONE, missing);
        }
        return new Isolation(root ? Isolation.Level.FULL : Isolation.Level.LANDLOCK, missing);
    }

    /**
     * The command that starts a program of a tenant. Its whole environment is in it.
     *
     * @param name by which {@link #end} finds what it started; of file names' characters
     * @throws ComputeException when the sandbox is required and cannot be had; when what the policy lets the program write lies
     *     inside of what everybody may read
     */
    public List<String> command(
            String name,
            ComputeUser user,
            SandboxPolicy policy,
            Limits limits,
            Map<String, String> environment,
            List<String> program) {
        if (settings.mode() == SandboxSettings.Mode.REQUIRED && !isolation.confines()) {
            throw new ComputeException("computes are not started, because compute.isolation is \"required\" and this"
                    + " machine does not have " + String.join("; nor ", isolation.missing())
                    + ". With \"preferred\" they start with what there is");
        }
        List<String> more = new ArrayList<>();
        more.add("--oom-score=" + SCORE);
        if (user.shared()) {
            more.add("--shared-user");
        }
        groups.ifPresent(each -> each.prepare(name, limits).forEach(group -> more.add("--group=" + group)));
        return build(user, policy, environment, program, more);
    }

    /** As {@link #command}, for a program that runs nothing of tenants: it starts with what there is. */
    public List<String> ownCommand(
            ComputeUser user, SandboxPolicy policy, Map<String, String> environment, List<String> program) {
        return build(user, policy, environment, program, List.of());
    }

    /** Ends every process that a program of this name has started, wherever it went; does nothing without control groups. */
    public void end(String name) {
        groups.ifPresent(each -> each.end(name));
    }

    /** Ends every process of a user, wherever it went. Never call it for a user that has more than one compute's processes. */
    public void endAllOf(ComputeUser user) {
        if (user.own()) {
            throw new IllegalArgumentException("this process has the same user");
        }
        Launches.run(List.of(launcher.toString(), "kill", Integer.toString(user.uid())));
    }

    private List<String> build(
            ComputeUser user,
            SandboxPolicy policy,
            Map<String, String> environment,
            List<String> program,
            List<String> more) {
        boolean off = settings.mode() == SandboxSettings.Mode.OFF;
        int landlock = off || kernel.landlock() < LANDLOCK_MIN ? 0 : Math.min(kernel.landlock(), LANDLOCK_KNOWN);
        List<String> command = new ArrayList<>(96);
        command.add(launcher.toString());
        command.add("run");
        command.add("--session");
        // Dumps of memory would go where the program is, with everything that it has seen.
        command.add("--limit=core:0");
        command.addAll(more);
        if (!user.own()) {
            command.add("--user=" + user.uid() + ":" + user.gid());
        }
        policy.directories().forEach(path -> command.add("--directory=" + path));
        if (!off && kernel.filter()) {
            command.add("--filter");
            addNetwork(command, policy.network());
        }
        if (landlock > 0) {
            requireApart(policy);
            command.add("--landlock=" + landlock);
            addPaths(command, policy);
        }
        environment.forEach((name, value) -> command.add("--env=" + name + "=" + value));
        command.add("--");
        command.addAll(program);
        return command;
    }

    private void addNetwork(List<String> command, SandboxPolicy.Reach reach) {
        switch (reach) {
            case ALL -> command.add("--network=all");
            case NONE -> command.add("--network=none");
            case LOOPBACK -> {
                if (!kernel.namespaces().contains("net")) {
                    command.add("--network=none");
                    return;
                }
                if (!root) {
                    command.add("--namespace=user");
                }
                command.add("--namespace=net");
                command.add("--network=loopback");
            }
        }
    }

    private static void addPaths(List<String> command, SandboxPolicy policy) {
        SystemPaths.READ.forEach(path -> command.add("--read-if-there=" + path));
        SystemPaths.DEVICES.forEach(path -> command.add("--file=" + path));
        policy.reads().forEach(path -> command.add("--read=" + path));
        policy.lookUps().forEach(path -> command.add("--look-up=" + path));
        policy.writes().forEach(path -> command.add("--write=" + path));
        policy.sockets().forEach(path -> command.add("--sockets=" + path));
        policy.memory().forEach(path -> command.add("--memory=" + path));
        policy.files().forEach(path -> command.add("--file=" + path));
    }

    /** Rules only add rights: a data directory inside of one that everybody may read would be open to all computes. */
    private static void requireApart(SandboxPolicy policy) {
        for (Path path : policy.writable()) {
            for (String open : SystemPaths.READ) {
                if (path.startsWith(open)) {
                    throw new ComputeException(
                            "the data directory lies in " + open + ", which programs of all computes may"
                                    + " read: move it, for instance to /var/lib/coppice");
                }
            }
        }
    }
}
