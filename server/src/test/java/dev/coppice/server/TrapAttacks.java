package dev.coppice.server;

import static dev.coppice.server.Attack.Mechanism.BOUNDED_READING;
import static dev.coppice.server.Attack.Mechanism.LANDLOCK;
import static dev.coppice.server.Attack.Mechanism.NO_FOLLOW;
import static dev.coppice.server.Attack.Mechanism.SERVER_ONLY;
import static dev.coppice.server.Attack.Mechanism.UNPRIVILEGED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.server.Attack.Mechanism;
import dev.coppice.server.Attack.Party;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a compute leaves in the server's way: links, pipes, devices and exchanged directories at the places that it may write, before the server
 * suspends it, wakes it, archives its WAL, branches it, throws its files away or deletes it.
 */
final class TrapAttacks {
    private enum Trap {
        SYMBOLIC_LINK,
        HARD_LINK,
        PIPE,
        DEVICE,
        DIRECTORY_LINK,
        DIRECTORY,
        RENAME_RACE;

        String text() {
            return name().toLowerCase(Locale.ROOT).replace('_', ' ');
        }
    }

    /**
     * @param path below the timeline; a pattern finds the first that there is
     * @param made what of it there must be before, for the trap to be one: the file itself, or only where the server or Postgres will make it
     */
    private record Place(String what, String path, Made made) {
        /** Where it is of one branch, which runs. */
        Path of(Cage cage, Foothold from) throws SQLException, IOException {
            Path found = cage.own(from, path);
            assertThat(made == Made.NOW ? found : Cage.parent(found))
                    .as("there is a place to attack: %s", what)
                    .exists();
            return found;
        }
    }

    private enum Made {
        NOW,
        LATER
    }

    private static List<Place> places() {
        return List.of(
                new Place("its log", Cage.LOG, Made.NOW),
                new Place("the socket of its page service", Cage.AGENT, Made.NOW),
                new Place("the socket of its Postgres", Cage.SOCKET, Made.NOW),
                new Place("the mark of a clean stop", "clean", Made.LATER),
                new Place("what says which compute runs", "compute", Made.NOW),
                new Place("what says what it is", "timeline.json", Made.NOW),
                new Place("its configuration", "local/pgdata/postgresql.conf", Made.NOW),
                new Place("its access rules", "local/pgdata/pg_hba.conf", Made.NOW),
                new Place("its user map", "local/pgdata/pg_ident.conf", Made.NOW),
                new Place("its lock file", "local/pgdata/postmaster.pid", Made.NOW),
                new Place("the file that makes a standby", "local/pgdata/standby.signal", Made.LATER),
                new Place("the way to its WAL", "local/pgdata/pg_wal", Made.NOW),
                new Place("its map", "local/compute.map", Made.NOW),
                new Place("its journal", "journal/*1.journal", Made.NOW),
                new Place("the journal of its next start", "journal/00000003.journal", Made.LATER),
                new Place("the writer's lock", "writer.lock", Made.NOW),
                new Place("its WAL", "wal/0*", Made.NOW),
                new Place("its next WAL", "wal/0000000100000000000000E0", Made.LATER),
                new Place("its finished WAL", "wal-finished/0000000100000000000000E0", Made.LATER),
                new Place("its archived WAL", "wal-archive/0000000100000000000000E0", Made.LATER));
    }

    private TrapAttacks() {}

    static List<Attack> all() {
        List<Attack> attacks = new ArrayList<>();
        for (Place place : places()) {
            for (Trap trap : Trap.values()) {
                Set<Mechanism> mechanisms = switch (trap) {
                    case HARD_LINK, DEVICE -> Set.of(LANDLOCK, UNPRIVILEGED, NO_FOLLOW);
                    default -> Set.of(LANDLOCK, NO_FOLLOW, SERVER_ONLY);
                };
                attacks.add(new Attack(
                        Party.OWNER,
                        "have the server touch another file",
                        trap.text() + " in place of " + place.what + ", then suspend and wake",
                        mechanisms,
                        (cage, _) -> spring(cage, place, trap)));
            }
        }
        attacks.addAll(archive());
        attacks.addAll(litter());
        return attacks;
    }

    /** A branch that was trapped is thrown away: what is left of it does not matter. */
    private static Optional<String> spring(Cage cage, Place place, Trap trap) throws SQLException, IOException {
        Foothold from = cage.victim();
        Path timeline = cage.timeline(from);
        Path path = place.of(cage, from);
        boolean there;
        try {
            there = set(cage, from, path, trap);
        } catch (SQLException | AssertionError e) {
            // It has ruined its own Postgres in the attempt: let the server find that.
            there = true;
        }
        if (!there) {
            return Optional.empty();
        }
        String name = cage.abandonVictim();
        from.disconnect();
        cage.tryCli("computes", "suspend", name);
        from.sqlIfItWakes("SELECT 1");
        from.disconnect();
        cage.tryCli("computes", "suspend", name);
        Optional<String> harm =
                harm(cage, List.of(timeline, cage.data().resolve("run").resolve(from.endpoint())));
        cage.tryCli("branches", "delete", name, "--hard");
        return harm.or(() -> stillThere(timeline));
    }

    /** Whether the trap is there. */
    private static boolean set(Cage cage, Foothold from, Path path, Trap trap) throws SQLException, IOException {
        Path precious = cage.precious();
        String aside = path + ".aside";
        if (trap == Trap.RENAME_RACE) {
            // Nothing is written: a file that is in use stays what it is.
            from.call("create", path, "");
            return from.does("symlink", precious, aside) && from.does("race", path, aside, 2000);
        }
        Path replaced = trap == Trap.DIRECTORY_LINK ? Cage.parent(path) : path;
        boolean moved = from.does("rename", replaced, aside);
        boolean there = switch (trap) {
            case SYMBOLIC_LINK -> from.does("symlink", precious, path);
            case HARD_LINK -> from.does("link", precious, path);
            case PIPE -> from.does("fifo", path);
            case DEVICE -> from.does("device", path);
            case DIRECTORY -> from.does("mkdir", path) && from.does("create", path + "/file", "x");
            case DIRECTORY_LINK -> from.does("symlink", Cage.parent(precious), replaced);
            case RENAME_RACE -> throw new IllegalStateException("set above");
        };
        if (!there && moved) {
            from.call("rename", aside, replaced);
        }
        return there;
    }

    /** What the server did to the file, or with it. */
    private static Optional<String> harm(Cage cage, List<Path> readable) throws SQLException, IOException {
        cage.assertOthersGoOn();
        if (!cage.isPreciousUnchanged()) {
            String now = Files.readString(cage.precious(), StandardCharsets.ISO_8859_1);
            cage.restorePrecious();
            return Optional.of(
                    "the file of the server is now " + now.lines().findFirst().orElse("empty"));
        }
        try (Stream<Path> beside = Files.list(Cage.parent(cage.precious()))) {
            List<Path> more =
                    beside.filter(file -> !file.equals(cage.precious())).toList();
            if (!more.isEmpty()) {
                for (Path each : more) {
                    TestDirectories.delete(each);
                }
                return Optional.of("the server made " + more);
            }
        }
        for (Path directory : readable) {
            try (Stream<Path> files = Cage.walk(directory)) {
                for (Path file : (Iterable<Path>) files::iterator) {
                    if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                            && Files.size(file) < 1 << 20
                            && Files.readString(file, StandardCharsets.ISO_8859_1)
                                    .contains(Cage.PRECIOUS.strip())) {
                        return Optional.of("a copy of it in " + file);
                    }
                }
            }
        }
        return Optional.empty();
    }

    /** Until nothing of a deleted timeline is left. */
    private static Optional<String> stillThere(Path timeline) {
        String id = timeline.getFileName().toString();
        Cage.until(() -> {
            try (Stream<Path> names = Files.list(Cage.parent(timeline))) {
                return names.noneMatch(name -> name.toString().contains(id));
            }
        });
        return Optional.empty();
    }

    /** The way to originals: the server compresses a segment for the branch that is none of the branch's. */
    private static List<Attack> archive() {
        List<Attack> attacks = new ArrayList<>();
        for (String directory : List.of("wal-archive", "wal-finished", "wal")) {
            attacks.add(new Attack(
                    Party.ANONYMIZED,
                    "have the server copy the parent's WAL for it",
                    "symbolic link in " + directory + ", then the sweep that compresses",
                    Set.of(NO_FOLLOW, SERVER_ONLY, LANDLOCK),
                    (cage, from) -> {
                        Path wal = cage
                                .files(
                                        "timelines/"
                                                + cage.timeline(cage.main()).getFileName() + "/{wal,wal-archive}/0*",
                                        50)
                                .stream()
                                .filter(file -> file.toFile().length() == 16 << 20)
                                .findFirst()
                                .orElseThrow();
                        Path own = cage.timeline(from);
                        assertThat(own.resolve(directory)).isDirectory();
                        Path link = own.resolve(directory).resolve("0000000100000000000000F0");
                        from.call("symlink", wal, link);
                        cage.awaitSweep();
                        List<Path> made = cage.files("timelines/" + own.getFileName() + "/**/*F0.zst", 9);
                        from.call("unlink", link);
                        return made.isEmpty() ? Optional.empty() : Optional.of(made.toString());
                    }));
        }
        return attacks;
    }

    /** Not another file, but the server's time, memory and patience. */
    private static List<Attack> litter() {
        return List.of(
                litter(
                        "a file of 8 TB without content in local/pgdata",
                        "sparse",
                        "local/pgdata/huge",
                        "8796093022208"),
                litter("8 TB in its log, by the descriptor that it has", "stretch", "2", "8796093022208"),
                litter("100,000 names in local/pgdata", "names", "local/pgdata", "100000"),
                litter("100,000 names in wal-finished", "names", "wal-finished", "100000"),
                litter("directories 3,000 deep in local/pgdata", "deep", "local/pgdata", "3000"),
                litter("a loop of links", "symlink", "local/pgdata/base/loop", null),
                litter("a pipe among the tables", "fifo", "local/pgdata/base/pipe", null));
    }

    /** @param place below the timeline, or the number of a descriptor */
    private static Attack litter(String what, String operation, String place, @Nullable String argument) {
        return new Attack(
                Party.OWNER,
                "have the server stumble",
                what + ", then suspend, branch, wake and delete",
                Set.of(BOUNDED_READING),
                (cage, _) -> {
                    String name = cage.newName();
                    try (Foothold from = cage.branch(name)) {
                        from.sql("CREATE TABLE t AS SELECT 1");
                        Path timeline = cage.timeline(from);
                        Object path = operation.equals("stretch") ? place : timeline.resolve(place);
                        String said;
                        if (operation.equals("symlink")) {
                            said = from.call("symlink", "..", path);
                        } else if (argument == null) {
                            said = from.call(operation, path);
                        } else {
                            said = from.call(operation, path, argument);
                        }
                        assertThat(said)
                                .as("it lies there")
                                .matches(done -> done.startsWith("ok") || !isPossible(operation));
                        from.disconnect();
                        cage.tryCli("computes", "suspend", name);
                        cage.tryCli("branches", "create", "--name", name + "-child", "--parent", name);
                        from.sqlIfItWakes("SELECT 1");
                        from.disconnect();
                        cage.assertOthersGoOn();
                        cage.tryCli("branches", "delete", name + "-child", "--hard");
                        cage.tryCli("branches", "delete", name, "--hard");
                        return stillThere(timeline);
                    }
                });
    }

    /** What the sandbox refuses to make may lie there where there is none. */
    private static boolean isPossible(String operation) {
        return !operation.equals("symlink") && !operation.equals("fifo");
    }
}
