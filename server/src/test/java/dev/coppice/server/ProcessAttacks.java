package dev.coppice.server;

import static dev.coppice.server.Attack.Mechanism.LANDLOCK;
import static dev.coppice.server.Attack.Mechanism.OWN_USER;
import static dev.coppice.server.Attack.Mechanism.SCOPE;
import static dev.coppice.server.Attack.Mechanism.SECCOMP;
import static dev.coppice.server.Attack.Mechanism.SERVER_ONLY;

import dev.coppice.server.Attack.Attempt;
import dev.coppice.server.Attack.Mechanism;
import dev.coppice.server.Attack.Party;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** What one process may do to another: signals, its memory, its descriptors, its limits, what /proc tells of it. */
final class ProcessAttacks {
    /** SIGURG: everybody ignores it or wakes up for nothing; what counts is that it may be sent. */
    private static final int HARMLESS = 23;

    private static final Set<Mechanism> ANY = Set.of(OWN_USER, SCOPE, SECCOMP);

    private ProcessAttacks() {}

    @FunctionalInterface
    private interface OnProcess {
        boolean succeeds(Foothold from, long pid) throws SQLException, IOException;
    }

    private static Map<String, Long> victims(Cage cage) throws SQLException, IOException {
        Map<String, Long> victims = new LinkedHashMap<>();
        victims.put("the server", cage.server().serverPid());
        victims.put("the catalog", cage.catalogPostmaster());
        victims.put("the parent's postmaster", Cage.postmaster(cage.main()));
        victims.put(
                "a backend of another project",
                Long.parseLong(cage.otherProjectsMain().sql("SELECT pg_backend_pid()")));
        return victims;
    }

    private static Attempt onAny(OnProcess step) {
        return (cage, from) -> {
            for (Map.Entry<String, Long> victim : victims(cage).entrySet()) {
                if (step.succeeds(from, victim.getValue())) {
                    return Optional.of(victim.getKey() + ", process " + victim.getValue());
                }
            }
            return Optional.empty();
        };
    }

    static List<Attack> all() {
        List<Attack> attacks = new ArrayList<>();
        Map<String, String> signals =
                Map.of("kill", "kill(2)", "tgkill", "tgkill(2)", "pidfd-kill", "pidfd_send_signal(2)");
        signals.forEach((operation, means) -> attacks.add(new Attack(
                Party.OWNER,
                "end the server, the catalog, or another's Postgres",
                means,
                ANY,
                onAny((from, pid) -> from.does(operation, pid, HARMLESS)))));
        attacks.add(new Attack(
                Party.ANONYMIZED,
                "end the parent's Postgres",
                "kill(2)",
                ANY,
                onAny((from, pid) -> from.does("kill", pid, HARMLESS))));
        attacks.add(new Attack(
                Party.ANONYMIZED,
                "read originals in the memory of others",
                "ptrace(2)",
                ANY,
                onAny((from, pid) -> from.does("ptrace", pid))));
        attacks.add(new Attack(
                Party.ANONYMIZED,
                "read originals in the memory of others",
                "process_vm_readv(2)",
                ANY,
                onAny((from, pid) -> from.does("memory", pid, readableAddress(pid)))));
        attacks.add(new Attack(
                Party.ANONYMIZED,
                "take open files of others",
                "pidfd_getfd(2)",
                ANY,
                onAny((from, pid) -> from.does("pidfd-getfd", pid, 1))));
        for (String file : List.of("environ", "maps", "mem", "cmdline", "fd", "status")) {
            Set<Mechanism> mechanisms =
                    Set.of("cmdline", "status").contains(file) ? Set.of(LANDLOCK) : Set.of(OWN_USER, LANDLOCK);
            attacks.add(new Attack(
                    Party.OWNER,
                    "learn from /proc/<pid>/" + file + " of others",
                    "openat(2)",
                    mechanisms,
                    onAny((from, pid) -> from.does(operation(file), "/proc/" + pid + "/" + file))));
        }
        attacks.add(new Attack(
                Party.OWNER,
                "learn from /proc/1 and the list of processes",
                "openat(2)",
                Set.of(LANDLOCK),
                (_, from) -> firstTrue(
                                from, "read", "/proc/1/cmdline", "/proc/1/environ", "/proc/net/unix", "/proc/net/tcp")
                        .or(() -> listed(from))));
        attacks.addAll(limits());
        attacks.add(new Attack(
                Party.OWNER,
                "use what the server left open",
                "descriptors that the compute inherited",
                Set.of(SERVER_ONLY),
                ProcessAttacks::inherited));
        return attacks;
    }

    /** Of memory only the first page, which nobody has, could be read without more. */
    private static String operation(String file) {
        return switch (file) {
            case "fd" -> "list";
            case "mem" -> "open";
            default -> "read";
        };
    }

    private static Optional<String> listed(Foothold from) {
        try {
            String said = from.call("list", "/proc");
            return said.startsWith("ok") && said.contains(" 1 ") ? Optional.of(said) : Optional.empty();
        } catch (SQLException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Optional<String> firstTrue(Foothold from, String operation, String... files)
            throws SQLException, IOException {
        for (String file : files) {
            if (from.does(operation, file)) {
                return Optional.of(file);
            }
        }
        return Optional.empty();
    }

    /** What Landlock does not govern of processes of the same user. */
    private static List<Attack> limits() {
        return List.of(
                new Attack(
                        Party.OWNER,
                        "limit another process to death",
                        "prlimit64(2), here of its core files only",
                        Set.of(OWN_USER, SECCOMP),
                        onAny((from, pid) -> from.does("limit", pid, 4, "0"))),
                new Attack(
                        Party.OWNER,
                        "slow another process down",
                        "setpriority(2)",
                        Set.of(OWN_USER, SECCOMP),
                        onAny((from, pid) -> from.does("call", 141, 0, pid, Math.min(19, nice(pid) + 1)))),
                new Attack(
                        Party.OWNER,
                        "starve another process",
                        "sched_setscheduler(2)",
                        Set.of(OWN_USER, SECCOMP),
                        onAny((from, pid) -> from.does("call", 144, pid, 0, "buffer"))),
                new Attack(
                        Party.OWNER,
                        "starve another process of the disk",
                        "ioprio_set(2)",
                        Set.of(OWN_USER, SECCOMP),
                        onAny((from, pid) -> from.does("call", 251, 1, pid, (2 << 13) | 4))),
                new Attack(
                        Party.OWNER,
                        "slow all processes of the user down",
                        "setpriority(2) of PRIO_USER",
                        Set.of(OWN_USER, SECCOMP),
                        (cage, from) -> {
                            Map<String, Integer> before = nice(cage);
                            int more = before.values().stream()
                                            .max(Integer::compare)
                                            .orElseThrow()
                                    + 1;
                            from.call("call", 141, 2, 0, more);
                            return changed(before, nice(cage));
                        }),
                new Attack(
                        Party.OWNER,
                        "starve all processes of the user of the disk",
                        "ioprio_set(2) of IOPRIO_WHO_USER",
                        Set.of(OWN_USER, SECCOMP),
                        (cage, from) -> {
                            String own = from.call("ids").split(" ", -1)[1];
                            from.call("call", 251, 3, own, (2 << 13) | 6);
                            for (Map.Entry<String, Long> victim : victims(cage).entrySet()) {
                                String now = Programs.run(
                                                List.of(
                                                        "ionice",
                                                        "-p",
                                                        victim.getValue().toString()),
                                                "")
                                        .output();
                                if (now.contains("prio 6")) {
                                    return Optional.of(victim.getKey() + " has " + now.strip());
                                }
                            }
                            return Optional.empty();
                        }));
    }

    /** From proc_pid_stat(5). */
    private static int nice(long pid) throws IOException {
        String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
        return Integer.parseInt(stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[16]);
    }

    private static Map<String, Integer> nice(Cage cage) throws SQLException, IOException {
        Map<String, Integer> all = new LinkedHashMap<>();
        for (Map.Entry<String, Long> victim : victims(cage).entrySet()) {
            all.put(victim.getKey(), nice(victim.getValue()));
        }
        return all;
    }

    private static Optional<String> changed(Map<String, Integer> before, Map<String, Integer> now) {
        return before.equals(now) ? Optional.empty() : Optional.of(before + " became " + now);
    }

    private static String readableAddress(long pid) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/" + pid + "/maps"))) {
            return lines.filter(line -> line.contains(" r"))
                    .findFirst()
                    .map(line -> line.substring(0, line.indexOf('-')))
                    .orElseThrow();
        }
    }

    /** Any that leads to a file of the data directory which is not the branch's own. */
    private static Optional<String> inherited(Cage cage, Foothold from) throws SQLException, IOException {
        Set<String> foreign = new HashSet<>();
        String own = cage.timeline(from).toString();
        try (Stream<Path> files = Cage.walk(cage.server().directory())) {
            for (Path file : (Iterable<Path>) files::iterator) {
                if (!file.startsWith(own) && !file.toString().contains(from.endpoint())) {
                    foreign.add(Files.getAttribute(file, "unix:dev", java.nio.file.LinkOption.NOFOLLOW_LINKS) + ":"
                            + Files.getAttribute(file, "unix:ino", java.nio.file.LinkOption.NOFOLLOW_LINKS));
                }
            }
        }
        List<String> found = new ArrayList<>();
        for (String each : from.call("descriptors").substring(3).trim().split(" ")) {
            String[] parts = each.split(":");
            if (parts.length == 4 && foreign.contains(parts[1] + ":" + parts[2])) {
                found.add(each);
            }
        }
        return found.isEmpty() ? Optional.empty() : Optional.of(found.toString());
    }
}
