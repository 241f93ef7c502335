package dev.coppice.server;

import static dev.coppice.server.Attack.Mechanism.AGENT_CHECK;
import static dev.coppice.server.Attack.Mechanism.LANDLOCK;
import static dev.coppice.server.Attack.Mechanism.NETWORK;
import static dev.coppice.server.Attack.Mechanism.OWN_USER;
import static dev.coppice.server.Attack.Mechanism.PEER_CHECK;
import static dev.coppice.server.Attack.Mechanism.SCOPE;
import static dev.coppice.server.Attack.Mechanism.SECCOMP;
import static dev.coppice.server.Attack.Mechanism.UNPRIVILEGED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.server.Attack.Party;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Sockets of others, the page service, shared memory, and the network. */
final class SocketAttacks {
    private SocketAttacks() {}

    static List<Attack> all() {
        List<Attack> attacks = new ArrayList<>();
        for (Party party : List.of(Party.OWNER, Party.ANONYMIZED)) {
            attacks.add(new Attack(
                    party,
                    "speak to the catalog, to another's Postgres, to another's page service",
                    "connect(2) to every socket below the data directory, its name known",
                    Set.of(OWN_USER),
                    SocketAttacks::foreignSockets));
        }
        attacks.add(new Attack(
                Party.OWNER,
                "find the sockets of others",
                "/proc/net/unix, and lists of the directories where they are",
                Set.of(LANDLOCK),
                (cage, from) -> {
                    List<Path> found = from.opened(List.of(Path.of("/proc/net/unix")), "read");
                    found.addAll(from.opened(directories(cage, from), "list"));
                    return found.isEmpty() ? Optional.empty() : Optional.of(found.toString());
                }));
        attacks.add(new Attack(
                Party.OWNER,
                "hear of the sockets of others when they are made",
                "inotify(7), which Landlock does not govern, in the directories where they are",
                Set.of(OWN_USER, SECCOMP),
                (cage, from) -> {
                    List<Path> found = from.opened(directories(cage, from), "watch");
                    return found.isEmpty() ? Optional.empty() : Optional.of(found.toString());
                }));
        attacks.add(new Attack(
                Party.OWNER,
                "speak to what listens on an abstract socket",
                "connect(2) to one that another compute made",
                Set.of(SCOPE),
                SocketAttacks::abstractSocket));
        attacks.add(new Attack(
                Party.OWNER,
                "have the control plane work in another project's Postgres",
                "its own socket replaced by a link to another's, then a new role by the API",
                Set.of(PEER_CHECK, LANDLOCK),
                SocketAttacks::linkedSocket));
        attacks.addAll(agent());
        attacks.addAll(sharedMemory());
        attacks.addAll(network());
        return attacks;
    }

    private static Optional<String> foreignSockets(Cage cage, Foothold from) throws SQLException, IOException {
        List<Path> foreign = cage.sockets().stream()
                .filter(socket -> !socket.contains("/" + from.endpoint()))
                .map(Path::of)
                .toList();
        assertThat(foreign).as("others listen").hasSizeGreaterThan(2);
        List<Path> reached = from.opened(foreign, "connect");
        return reached.isEmpty() ? Optional.empty() : Optional.of(reached.toString());
    }

    /** All above the sockets of others, up to the data directory. */
    private static List<Path> directories(Cage cage, Foothold from) throws IOException {
        Set<Path> all = new TreeSet<>();
        for (String socket : cage.sockets()) {
            Path at = Path.of(socket);
            while (!socket.contains("/" + from.endpoint()) && !at.equals(cage.data())) {
                at = Cage.parent(at);
                all.add(at);
            }
        }
        return List.copyOf(all);
    }

    private static Optional<String> abstractSocket(Cage cage, Foothold from) throws SQLException, IOException {
        String name = "coppice-cage-" + System.nanoTime();
        assertThat(cage.main().call("bind-abstract", name)).startsWith("ok");
        String said = from.call("connect-abstract", name);
        return said.startsWith("ok") ? Optional.of(said) : Optional.empty();
    }

    private static Optional<String> linkedSocket(Cage cage, Foothold from) throws SQLException, IOException {
        String name = cage.newName();
        try (Foothold own = cage.branch(name)) {
            own.sql("SELECT 1");
            List<String> sockets = cage.sockets().stream()
                    .filter(socket -> socket.contains(".s.PGSQL."))
                    .toList();
            String mine = only(sockets, own.endpoint());
            String other = only(sockets, cage.otherProjectsMain().endpoint());
            own.call("rename", mine, mine + ".mine");
            own.call("symlink", other, mine);
            own.disconnect();
            // Whether it answers an error is its own affair.
            cage.tryCli("roles", "create", "--name", "planted", "--branch", name);
            String found = cage.otherProjectsMain().sql("SELECT count(*) FROM pg_roles WHERE rolname = 'planted'");
            cage.otherProjectsMain().sql("DROP ROLE IF EXISTS planted");
            cage.tryCli("branches", "delete", name, "--hard");
            return found.equals("1") ? Optional.of("the role is there") : Optional.empty();
        }
    }

    private static String only(List<String> sockets, String endpoint) {
        return sockets.stream()
                .filter(socket -> socket.contains("/" + endpoint + "/"))
                .findFirst()
                .orElseThrow();
    }

    /** The compute's own page service, asked for what it must not give. */
    private static List<Attack> agent() {
        List<Attack> attacks = new ArrayList<>();
        for (String path : List.of(
                "../../../../secret.key",
                "/etc/passwd",
                "global/../../../../../secret.key",
                "../../../../catalog/pg_hba.conf",
                "postmaster.pid/../../../writer.lock",
                "x".repeat(900))) {
            attacks.add(new Attack(
                    Party.ANONYMIZED,
                    "have the page service read another file",
                    "READ_FILE of " + (path.length() > 100 ? "a name of 900 bytes" : path),
                    Set.of(AGENT_CHECK),
                    (cage, from) -> asked(from, epoch(cage, from), path)));
        }
        attacks.add(new Attack(
                Party.OWNER,
                "go on in the name of an epoch that ended",
                "HELLO with another epoch",
                Set.of(AGENT_CHECK),
                (cage, from) -> asked(from, epoch(cage, from) + 1, "PG_VERSION")));
        return attacks;
    }

    private static Optional<String> asked(Foothold from, long epoch, String path) throws SQLException, IOException {
        String said = from.call("agent", agentSocket(from), epoch, path);
        assertThat(said).as("the page service was reached").doesNotStartWith("errno");
        return said.startsWith("ok") ? Optional.of(said) : Optional.empty();
    }

    private static String agentSocket(Foothold from) throws SQLException {
        return from.program("printf %s \"$COPPICE_AGENT\"").strip();
    }

    private static long epoch(Cage cage, Foothold from) throws SQLException, IOException {
        long epoch = Long.parseLong(from.program("printf %s \"$COPPICE_EPOCH\"").strip());
        // With the right epoch and a file of the branch it answers: so a refusal is one of what was asked.
        assertThat(from.call("agent", agentSocket(from), epoch, "PG_VERSION")).startsWith("ok");
        assertThat(cage.timeline(from)).isNotNull();
        return epoch;
    }

    private static List<Attack> sharedMemory() {
        return List.of(
                new Attack(
                        Party.ANONYMIZED,
                        "read the shared memory of others",
                        "openat(2) of what is in /dev/shm",
                        Set.of(OWN_USER, LANDLOCK),
                        (cage, from) -> {
                            List<Path> foreign;
                            String own = mapsOf(Cage.postmaster(from));
                            try (Stream<Path> files = Files.list(Path.of("/dev/shm"))) {
                                foreign = files.filter(Files::isRegularFile)
                                        .filter(file -> !own.contains(file.toString()))
                                        .filter(file -> isOf(cage, file))
                                        .toList();
                            }
                            List<Path> reached = from.opened(foreign, "read");
                            return reached.isEmpty() ? Optional.empty() : Optional.of(reached.toString());
                        }),
                new Attack(
                        Party.ANONYMIZED,
                        "attach to the shared memory of others",
                        "shmat(2) of every segment of System V",
                        Set.of(OWN_USER, SECCOMP),
                        (_, from) -> {
                            String said = from.call("segments", Cage.postmaster(from));
                            return said.contains("ok") ? Optional.of(said) : Optional.empty();
                        }),
                new Attack(
                        Party.OWNER,
                        "meet another compute over message queues and semaphores",
                        "mq_open(3), msgget(2)",
                        Set.of(SECCOMP),
                        (_, from) -> {
                            // IPC_CREAT with a key that both know.
                            String said = from.call("call", 68, 7731, 0x3ff);
                            return said.startsWith("ok") ? Optional.of(said) : Optional.empty();
                        }));
    }

    private static boolean isOf(Cage cage, Path file) {
        try {
            // Of this server's computes: those of other servers on this machine come and go.
            String name = file.toString();
            for (Foothold each : List.of(cage.main(), cage.otherProjectsMain())) {
                if (mapsOf(Cage.postmaster(each)).contains(name)) {
                    return true;
                }
            }
            return mapsOf(cage.catalogPostmaster()).contains(name);
        } catch (SQLException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String mapsOf(long pid) throws IOException {
        return Files.readString(Path.of("/proc/" + pid + "/maps"), StandardCharsets.ISO_8859_1);
    }

    private static List<Attack> network() {
        List<Attack> attacks = new ArrayList<>();
        for (String kind : List.of("tcp", "mptcp", "fastopen", "udp")) {
            attacks.add(new Attack(Party.ANONYMIZED, "carry something out", kind, Set.of(NETWORK), (_, from) -> {
                try (ServerSocket server = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
                        DatagramSocket datagrams = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
                    int port = kind.equals("udp") ? datagrams.getLocalPort() : server.getLocalPort();
                    String said = from.call("inet", kind, "127.0.0.1", port);
                    return said.startsWith("ok") ? Optional.of(said) : Optional.empty();
                }
            }));
        }
        attacks.add(new Attack(
                Party.ANONYMIZED, "speak to the server's API and proxy", "tcp", Set.of(NETWORK), (cage, from) -> {
                    int api = URI.create(new Api(cage.server()).url()).getPort();
                    int proxy = URI.create(from.uri().replaceFirst("//[^@]*@", "//"))
                            .getPort();
                    for (int port : List.of(api, proxy)) {
                        if (from.does("inet", "tcp", "127.0.0.1", port)) {
                            return Optional.of("port " + port);
                        }
                    }
                    return Optional.empty();
                }));
        attacks.add(new Attack(
                Party.ANONYMIZED, "carry something out", "a program of the shell", Set.of(NETWORK), (_, from) -> {
                    try (ServerSocket server = new ServerSocket(0, 8, InetAddress.getLoopbackAddress())) {
                        String said = from.program(
                                "bash -c 'exec 3<>/dev/tcp/127.0.0.1/" + server.getLocalPort() + " && echo reached'");
                        return said.contains("reached") ? Optional.of(said) : Optional.empty();
                    }
                }));
        attacks.add(new Attack(
                Party.ANONYMIZED, "let somebody in", "bind(2) to a port, TCP and UDP", Set.of(NETWORK), (_, from) -> {
                    int free;
                    try (ServerSocket server = new ServerSocket(0, 8, InetAddress.getLoopbackAddress())) {
                        free = server.getLocalPort();
                    }
                    return from.does("listen", free) || from.does("listen-udp", free)
                            ? Optional.of("port " + free)
                            : Optional.empty();
                }));
        Map<String, Integer> families = Map.of("netlink", 16, "packet", 17, "alg", 38, "vsock", 40);
        families.forEach((name, family) -> attacks.add(new Attack(
                Party.ANONYMIZED,
                "use another kind of socket",
                "socket(2) of the family " + name,
                name.equals("netlink") ? Set.of(NETWORK) : Set.of(SECCOMP, UNPRIVILEGED),
                (_, from) -> {
                    String said = from.call("call", 41, family, name.equals("alg") ? 5 : 3, 0);
                    return said.startsWith("ok") ? Optional.of(said) : Optional.empty();
                })));
        return attacks;
    }
}
