package dev.coppice.server;

import static dev.coppice.server.Attack.Mechanism.LANDLOCK;
import static dev.coppice.server.Attack.Mechanism.OWN_USER;
import static dev.coppice.server.Attack.Mechanism.ROLE_POWER;
import static dev.coppice.server.Attack.Mechanism.SECCOMP;
import static dev.coppice.server.Attack.Mechanism.SERVER_ONLY;
import static dev.coppice.server.Attack.Mechanism.UNPRIVILEGED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.server.Attack.Attempt;
import dev.coppice.server.Attack.Mechanism;
import dev.coppice.server.Attack.Party;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Reading, changing and finding files that are not the branch's own. */
final class ForeignFileAttacks {
    private static final int MOST = 12;

    /** Numbers of x86-64. */
    private static final int CHMOD = 90;

    private static final int SETXATTR = 188;
    private static final int FCHOWNAT = 260;
    private static final int FCHMODAT = 268;
    private static final int UTIMENSAT = 280;
    private static final int FCHMODAT2 = 452;

    /** AT_FDCWD. */
    private static final int CURRENT = -100;

    /** In the arguments of a call: the file's name, and who has it. */
    private static final String NAME = "<name>";

    private static final String UID = "<uid>";

    private ForeignFileAttacks() {}

    /** Files of a kind; there must be some, or nothing is shown. */
    @FunctionalInterface
    private interface Targets {
        List<Path> in(Cage cage) throws IOException, SQLException;
    }

    private record Kind(String name, Set<Mechanism> mechanisms, Targets targets) {}

    private static Targets below(String glob) {
        return cage -> cage.files(glob, MOST);
    }

    private static Targets ofMain(String glob) {
        return cage -> cage.files("timelines/" + cage.timeline(cage.main()).getFileName() + "/" + glob, MOST);
    }

    private static Targets ofOtherProject(String glob) {
        return cage -> cage.files(
                "timelines/" + cage.timeline(cage.otherProjectsMain()).getFileName() + "/" + glob, MOST);
    }

    private static final Set<Mechanism> PRIVATE = Set.of(OWN_USER, LANDLOCK);
    private static final Set<Mechanism> SERVERS = Set.of(SERVER_ONLY, LANDLOCK);

    private static List<Kind> kinds() {
        return List.of(
                new Kind("the parent's journal", PRIVATE, ofMain("journal/*")),
                new Kind("the parent's layers", SERVERS, ofMain("layers/*")),
                new Kind("the parent's WAL", PRIVATE, ofMain("wal/0*")),
                new Kind("the parent's archived WAL", SERVERS, ofMain("wal-archive/*")),
                new Kind("the parent's tables", PRIVATE, ofMain("local/pgdata/base/**")),
                new Kind("another project's journal", PRIVATE, ofOtherProject("journal/*")),
                new Kind("another project's tables", PRIVATE, ofOtherProject("local/pgdata/base/**")),
                new Kind("the catalog's tables", PRIVATE, below("catalog/base/**")),
                new Kind("the key of all sealed passwords", SERVERS, below("secret.key")),
                new Kind("the API key of the command line", SERVERS, below("cli.json")),
                new Kind("the audit log", SERVERS, below("audit.log")),
                new Kind("the private key of TLS", SERVERS, below("tls/*.key")),
                new Kind("logs of other computes", SERVERS, cage -> logs(cage)),
                new Kind("boundary documents", SERVERS, cage -> boundaries(cage)),
                new Kind("the server's file beside the data", SERVERS, cage -> List.of(cage.precious())),
                new Kind(
                        "the host's password hashes",
                        Set.of(LANDLOCK, UNPRIVILEGED),
                        _ -> List.of(Path.of("/etc/shadow"))));
    }

    private static List<Path> logs(Cage cage) throws IOException {
        String own = cage.from(Party.OWNER).endpoint();
        String anonymized = cage.from(Party.ANONYMIZED).endpoint();
        try (Stream<Path> files = Cage.walk(cage.data())) {
            return files.filter(file ->
                            file.toString().endsWith(".log") && file.toFile().length() > 0)
                    .filter(file ->
                            !file.toString().contains(own) && !file.toString().contains(anonymized))
                    .filter(file -> !file.endsWith("audit.log"))
                    .toList();
        }
    }

    /** What says how the anonymized branch's parent is to be seen: by their content, wherever they lie. */
    private static List<Path> boundaries(Cage cage) throws IOException {
        List<Path> found = new ArrayList<>();
        try (Stream<Path> files = Cage.walk(cage.data())) {
            for (Path file : files.filter(Files::isRegularFile)
                    .filter(file -> file.toString().contains("boundar"))
                    .toList()) {
                found.add(file);
            }
        }
        return found;
    }

    static List<Attack> all() {
        List<Attack> attacks = new ArrayList<>();
        for (Kind kind : kinds()) {
            for (Party party : List.of(Party.OWNER, Party.ANONYMIZED)) {
                attacks.add(new Attack(
                        party,
                        "read " + kind.name,
                        "openat(2) by native code",
                        kind.mechanisms,
                        any(kind, (_, from, file) -> from.does("read", file))));
            }
            attacks.add(new Attack(
                    Party.ANONYMIZED,
                    "read " + kind.name,
                    "pg_read_binary_file, COPY FROM, lo_import",
                    kind.mechanisms,
                    any(kind, (_, from, file) -> readsBySql(from, file))));
            attacks.add(new Attack(
                    Party.MASKED_ROLE,
                    "read " + kind.name,
                    "pg_read_binary_file, COPY FROM, lo_import",
                    Set.of(ROLE_POWER),
                    any(kind, (_, from, file) -> readsBySql(from, file))));
        }
        attacks.add(new Attack(
                Party.OWNER,
                "read any file of the data directory that is not its own",
                "cat in a program, every name known",
                SERVERS,
                ForeignFileAttacks::everyFile));
        attacks.addAll(changes());
        attacks.addAll(changesByName());
        return attacks;
    }

    /** Mode, owner, times and attributes of a file that is never opened: Landlock does not govern them. */
    private static List<Attack> changesByName() {
        Map<String, Object[]> steps = new LinkedHashMap<>();
        steps.put("fchmodat(2)", new Object[] {"call", FCHMODAT, CURRENT, NAME, 0600});
        steps.put("fchmodat2(2)", new Object[] {"call", FCHMODAT2, CURRENT, NAME, 0600, 0});
        steps.put("chmod(2)", new Object[] {"call", CHMOD, NAME, 0600});
        steps.put("fchownat(2)", new Object[] {"call", FCHOWNAT, CURRENT, NAME, UID, -1, 0});
        steps.put("utimensat(2)", new Object[] {"call", UTIMENSAT, CURRENT, NAME, 0, 0});
        steps.put("setxattr(2)", new Object[] {"call", SETXATTR, NAME, "\"user.coppice", "\"x", 1, 0});
        List<Attack> attacks = new ArrayList<>();
        steps.forEach((means, step) -> {
            attacks.add(new Attack(
                    Party.OWNER,
                    "open the server's secrets to everybody, or close them to the server",
                    means,
                    Set.of(SERVER_ONLY, SECCOMP),
                    (cage, from) -> byName(from, step, List.of(cage.data().resolve("secret.key"), cage.precious()))));
            attacks.add(new Attack(
                    Party.ANONYMIZED,
                    "open the parent's files to everybody",
                    means,
                    Set.of(OWN_USER, SECCOMP),
                    (cage, from) -> byName(
                            from,
                            step,
                            List.of(
                                    cage.own(cage.main(), "local/pgdata/PG_VERSION"),
                                    cage.own(cage.main(), "wal/0*")))));
        });
        return attacks;
    }

    /** Changes nothing: mode and owner are given as they are. */
    private static Optional<String> byName(Foothold from, Object[] step, List<Path> files) throws Exception {
        for (Path file : files) {
            Object owner = Files.getAttribute(file, "unix:uid");
            Object[] arguments = java.util.Arrays.stream(step)
                    .skip(1)
                    .map(each -> each.equals(NAME) ? "\"" + file : each.equals(UID) ? owner : each)
                    .toArray();
            String said = from.call(String.valueOf(step[0]), arguments);
            if (said.startsWith("ok")) {
                return Optional.of(file.toString());
            }
        }
        return Optional.empty();
    }

    @FunctionalInterface
    private interface OnFile {
        boolean succeeds(Cage cage, Foothold from, Path file) throws Exception;
    }

    private static Attempt any(Kind kind, OnFile step) {
        return (cage, from) -> {
            List<Path> targets = kind.targets.in(cage);
            assertThat(targets).as("there is something to attack: " + kind.name).isNotEmpty();
            for (Path target : targets) {
                if (step.succeeds(cage, from, target)) {
                    return Optional.of(target.toString());
                }
            }
            return Optional.empty();
        };
    }

    private static boolean readsBySql(Foothold from, Path file) throws SQLException {
        for (String statement : List.of(
                "SELECT length(pg_read_binary_file('" + file + "', 0, 16))",
                "SELECT lo_import('" + file + "')",
                "COPY pg_temp.copied FROM '" + file + "'",
                "COPY pg_temp.copied FROM PROGRAM 'cat " + file + "'")) {
            String said = from.sql("CREATE TEMP TABLE IF NOT EXISTS copied (line text)", statement);
            // Bytes that are no text show that the file was read, too.
            if (!said.startsWith(Foothold.REFUSED) || said.contains("invalid byte sequence")) {
                return true;
            }
        }
        return false;
    }

    /** All but its own, and what every user may read of the programs. */
    private static Optional<String> everyFile(Cage cage, Foothold from) throws Exception {
        String own = cage.timeline(from).toString();
        List<String> foreign;
        try (Stream<Path> files = Cage.walk(cage.data())) {
            foreign = files.filter(file -> Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS))
                    .filter(file -> !file.startsWith(own)
                            && !file.toString().contains("/" + from.endpoint())
                            && !file.startsWith(cage.data().resolve("postgres"))
                            && !isProgram(file))
                    .map(Path::toString)
                    .toList();
        }
        for (int at = 0; at < foreign.size(); at += 200) {
            String said = from.program("for f in "
                    + String.join(" ", foreign.subList(at, Math.min(at + 200, foreign.size())))
                    + "; do head -c 1 $f >/dev/null 2>&1 && echo read $f; done; true");
            if (said.contains("read /")) {
                return Optional.of(said);
            }
        }
        return Optional.empty();
    }

    private static boolean isProgram(Path file) {
        String name = file.getFileName().toString();
        return name.endsWith(".so")
                || file.toString().contains("/native/")
                || file.toString().contains("/lib/");
    }

    private static List<Attack> changes() {
        return List.of(
                new Attack(
                        Party.OWNER,
                        "change what other computes execute",
                        "open for writing of Postgres's programs, libraries and the interposer",
                        Set.of(OWN_USER, LANDLOCK),
                        (cage, from) -> firstOf(from.opened(
                                cage.files("{postgres,lib}/**", 5000).stream()
                                        .filter(file -> Files.isExecutable(file) || isProgram(file))
                                        .limit(40)
                                        .toList(),
                                "append",
                                ""))),
                new Attack(
                        Party.OWNER,
                        "become administrator of the catalog",
                        "append to its pg_ident.conf",
                        PRIVATE,
                        (cage, from) ->
                                firstOf(from.opened(cage.files("catalog/pg_{ident,hba}.conf", 2), "append", ""))),
                new Attack(
                        Party.ANONYMIZED,
                        "write into the parent's history",
                        "open for appending of its journal and WAL",
                        PRIVATE,
                        (cage, from) ->
                                firstOf(from.opened(ofMain("{journal,wal}/0*").in(cage), "append", ""))),
                new Attack(
                        Party.OWNER,
                        "cut the server's files",
                        "truncate(2)",
                        SERVERS,
                        (cage, from) ->
                                firstOf(from.opened(List.of(cage.precious()), "truncate", Cage.PRECIOUS.length()))),
                new Attack(
                        Party.OWNER,
                        "find the timelines of others",
                        "getdents64(2) of timelines/, run/ and the data directory",
                        SERVERS,
                        (cage, from) -> firstOf(from.opened(
                                List.of(
                                        cage.data().resolve("timelines"),
                                        cage.data().resolve("run"),
                                        cage.data()),
                                "list"))),
                new Attack(
                        Party.OWNER,
                        "leave a file where another program looks",
                        "creat(2) in /tmp, /var/tmp, /dev/shm and the directories of others",
                        Set.of(LANDLOCK),
                        (cage, from) -> {
                            List<Path> made = from.opened(
                                    List.of(
                                            Path.of("/tmp/coppice-cage-left"),
                                            Path.of("/var/tmp/coppice-cage-left"),
                                            Path.of("/dev/shm/coppice-cage-left"),
                                            cage.server().directory().resolve("coppice-cage-left"),
                                            cage.data().resolve("coppice-cage-left")),
                                    "create",
                                    "x");
                            for (Path each : made) {
                                Files.deleteIfExists(each);
                            }
                            return firstOf(made);
                        }));
    }

    private static Optional<String> firstOf(List<Path> opened) {
        return opened.isEmpty() ? Optional.empty() : Optional.of(opened.toString());
    }
}
