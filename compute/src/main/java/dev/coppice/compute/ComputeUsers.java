package dev.coppice.compute;

import dev.coppice.common.TimelineId;
import dev.coppice.common.config.UserRange;
import dev.coppice.storage.io.DurableFiles;
import dev.coppice.storage.io.UntrustedDirectory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who computes run as. When this process is root each timeline has a user of its own, a number that is drawn from a range once and never given to another
 * timeline while the first has files; so has the catalog, and what makes the template. Which number is written down where only the server reads, a
 * file each, together with the identity of the data directory: a copy of the directory draws anew, since the numbers may be in use by
 * the original's computes. Thread-safe.
 *
 * <p>Not root: everything runs as this process's user.
 */
public final class ComputeUsers {
    private static final Logger log = LoggerFactory.getLogger(ComputeUsers.class);
    private static final String TIMELINE = "timeline.";
    private static final Path PROC = Path.of("/proc");
    private static final int DRAWS_MAX = 1000;

    private final Path directory;
    private final String dataDirectoryId;
    private final UserRange range;
    private final Optional<ComputeUser> one;
    private final SecureRandom random = new SecureRandom();
    // Guarded by this.
    private final Map<String, ComputeUser> known = new HashMap<>();
    private final Set<Integer> taken = new HashSet<>();

    /** Drawn ahead; 0 = none. */
    private int spare;

    private ComputeUsers(Path directory, String dataDirectoryId, UserRange range, Optional<ComputeUser> one) {
        this.directory = directory;
        this.dataDirectoryId = dataDirectoryId;
        this.range = range;
        this.one = one;
    }

    /**
     * Reads who is who.
     *
     * @param directory for the files, this process's alone; made when it is missing
     * @param dataDirectoryId of the data directory that it lies in
     * @param configured a user of passwd(5) for everything instead, when this process is root: nothing keeps computes apart then
     */
    public static ComputeUsers open(
            Path directory, String dataDirectoryId, UserRange range, Optional<String> configured) {
        try {
            DurableFiles.createPrivateDirectory(directory);
            ComputeUsers users = new ComputeUsers(directory, dataDirectoryId, range, everybody(configured));
            users.load();
            return users;
        } catch (IOException e) {
            throw new ComputeException("cannot read the users of computes in " + directory, e);
        }
    }

    private static Optional<ComputeUser> everybody(Optional<String> configured) throws IOException {
        if (UntrustedDirectory.ownUser() != 0) {
            return Optional.of(ComputeUser.ofThisProcess());
        }
        if (configured.isEmpty()) {
            return Optional.empty();
        }
        ComputeUser user = ComputeUser.find(configured.get())
                .orElseThrow(() -> new ComputeException("there is no user \"" + configured.get()
                        + "\" (compute.user): create it with \"useradd --system " + configured.get()
                        + "\", or leave the setting out, and every branch gets a user of its own"));
        log.warn(
                "All computes run as {} (compute.user): a program in one branch reaches the files of the others",
                user.name());
        return Optional.of(user);
    }

    /** Which data directory this is: what is bound to it is of no use in a copy. */
    public String dataDirectoryId() {
        return dataDirectoryId;
    }

    /** A timeline's user, drawn now if need be. */
    public ComputeUser of(TimelineId timeline) {
        return named(TIMELINE + timeline.value());
    }

    /** A timeline's user; empty when no compute ever ran on it. */
    Optional<ComputeUser> knownOf(TimelineId timeline) {
        synchronized (this) {
            return one.or(() -> Optional.ofNullable(known.get(TIMELINE + timeline.value())));
        }
    }

    /** Whether each timeline has a user of its own. */
    boolean apart() {
        return one.isEmpty();
    }

    /** The user of something that is no timeline, drawn now if need be. */
    public synchronized ComputeUser named(String name) {
        if (one.isPresent()) {
            return one.get();
        }
        ComputeUser user = known.get(name);
        if (user == null) {
            user = draw(name);
            known.put(name, user);
        }
        return user;
    }

    /** Forgets the timelines that are gone with their files. */
    synchronized void keepOnly(Set<TimelineId> timelines) {
        for (String name : Set.copyOf(known.keySet())) {
            if (name.startsWith(TIMELINE) && !timelines.contains(new TimelineId(name.substring(TIMELINE.length())))) {
                try {
                    Files.deleteIfExists(directory.resolve(name));
                    ComputeUser gone = known.remove(name);
                    if (gone != null) {
                        taken.remove(gone.uid());
                    }
                } catch (IOException e) {
                    throw new ComputeException("cannot forget the user of " + name, e);
                }
            }
        }
    }

    /**
     * Not synced: a power cut that takes the record leaves a timeline that draws anew and is given its files again.
     */
    private ComputeUser draw(String name) {
        try {
            int uid = spare == 0 ? drawFree() : spare;
            spare = 0;
            Path making = directory.resolve(name + "~");
            Files.writeString(making, uid + " " + dataDirectoryId + "\n");
            Files.move(making, directory.resolve(name), StandardCopyOption.ATOMIC_MOVE);
            // Looking through all processes takes longer than a wake should.
            Thread.ofVirtual().name("spare user").start(this::drawSpare);
            return ComputeUser.ofNumber(uid);
        } catch (IOException e) {
            throw new ComputeException("cannot give a user to " + name, e);
        }
    }

    private synchronized void drawSpare() {
        try {
            if (spare == 0) {
                spare = drawFree();
            }
        } catch (IOException | ComputeException e) {
            log.debug("The next timeline looks for its user itself", e);
        }
    }

    private int drawFree() throws IOException {
        Set<Integer> used = used();
        for (int i = 0; i < DRAWS_MAX; i++) {
            int uid = random.nextInt(range.first(), range.last() + 1);
            if (!used.contains(uid) && taken.add(uid)) {
                return uid;
            }
        }
        throw new ComputeException("there is no free user between " + range.first() + " and " + range.last()
                + " (compute.uids): choose a larger range");
    }

    /** Whom somebody on this machine may be: those of processes, and of passwd(5). */
    private static Set<Integer> used() throws IOException {
        Set<Integer> used = new HashSet<>(UserProcesses.users(PROC));
        for (String line : Files.readAllLines(ComputeUser.PASSWD, StandardCharsets.ISO_8859_1)) {
            String[] fields = line.split(":", -1);
            if (fields.length >= 3 && fields[2].matches("[0-9]{1,9}")) {
                used.add(Integer.parseInt(fields[2]));
            }
        }
        return used;
    }

    private synchronized void load() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                String[] fields = Files.readString(file, StandardCharsets.US_ASCII)
                        .strip()
                        .split(" ", -1);
                String name = String.valueOf(file.getFileName());
                if (fields.length == 2 && fields[1].equals(dataDirectoryId) && fields[0].matches("[1-9][0-9]{0,9}")) {
                    int uid = Integer.parseInt(fields[0]);
                    known.put(name, ComputeUser.ofNumber(uid));
                    taken.add(uid);
                } else {
                    log.info("{} gets another user: this data directory is a copy", name);
                    Files.delete(file);
                }
            }
        }
    }
}
