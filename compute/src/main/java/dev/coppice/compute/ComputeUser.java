package dev.coppice.compute;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The operating system user that computes run as. Postgres refuses root, so a server that runs as root gives its computes
 * to the system user {@value #NAME}, made when it is missing, or to {@value #FALLBACK} where users cannot be made. Any other
 * server runs them as itself.
 *
 * @param name as in the user database
 * @param own whether it is the user of this process, so that nothing needs to change hands
 */
public record ComputeUser(String name, int uid, int gid, boolean own) {
    static final String NAME = "coppice";
    static final String FALLBACK = "nobody";

    /** Of computes that see less than others. */
    static final String SECLUDED = "coppice-masked";

    private static final Logger log = LoggerFactory.getLogger(ComputeUser.class);
    private static final Path PASSWD = Path.of("/etc/passwd");
    private static final int OTHERS_MAY_ENTER = 1;
    private static final int GROUP_MAY_ENTER = 010;
    private static final int OWNER_MAY_ENTER = 0100;
    private static final long USERADD_TIMEOUT_SECONDS = 30;

    /** As {@link #detect(Optional)}, with nothing configured. */
    public static ComputeUser detect() {
        return detect(Optional.empty());
    }

    /**
     * The user for computes of this process. As root this may create the system user {@value #NAME}.
     *
     * @param configured the user to run as instead when this process is root; must exist
     */
    public static ComputeUser detect(Optional<String> configured) {
        try {
            int self = (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
            int group = (int) Files.getAttribute(Path.of("/proc/self"), "unix:gid");
            if (self != 0) {
                return new ComputeUser(System.getProperty("user.name"), self, group, true);
            }
            if (configured.isPresent()) {
                return find(configured.get())
                        .orElseThrow(() -> new ComputeException("there is no user \"" + configured.get()
                                + "\" (compute.user): create it with \"useradd --system " + configured.get()
                                + "\", or leave the setting out"));
            }
            Optional<ComputeUser> existing = find(NAME);
            if (existing.isPresent()) {
                return existing.get();
            }
            create(NAME);
            return find(NAME)
                    .or(() -> lookUp(FALLBACK))
                    .orElseThrow(() -> new ComputeException("Postgres cannot run as root, and there is neither a user "
                            + NAME + " nor " + FALLBACK + ": create one with \"useradd --system " + NAME + "\""));
        } catch (IOException e) {
            throw new ComputeException("cannot find a user to run Postgres as", e);
        }
    }

    /** Puts in front of a command what makes it run as this user. */
    public List<String> command(List<String> command) {
        if (own) {
            return command;
        }
        List<String> result = new ArrayList<>(command.size() + 4);
        result.add("setpriv");
        result.add("--reuid=" + uid);
        result.add("--regid=" + gid);
        result.add("--clear-groups");
        result.addAll(command);
        return result;
    }

    /** Gives one file, directory or symbolic link to this user. */
    public void own(Path path) throws IOException {
        if (!own) {
            Files.setAttribute(path, "unix:uid", uid, LinkOption.NOFOLLOW_LINKS);
            Files.setAttribute(path, "unix:gid", gid, LinkOption.NOFOLLOW_LINKS);
        }
    }

    /** Gives a directory and everything below it to this user. */
    public void ownTree(Path directory) throws IOException {
        if (own) {
            return;
        }
        try (Stream<Path> paths = Files.walk(directory)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                own(path);
            }
        }
    }

    /** Makes a directory that only this user (and root) may enter, or puts an existing one into that state. */
    public void privateDirectory(Path directory) throws IOException {
        if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectories(directory);
        }
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        own(directory);
    }

    /**
     * Checks that this user can come to a directory.
     *
     * @throws ComputeException naming the first directory on the way that it may not enter
     */
    public void requireReach(Path directory) {
        try {
            Path real = directory.toRealPath();
            for (Path step = real.getParent(); step != null; step = step.getParent()) {
                if (!mayEnter(step)) {
                    throw new ComputeException("Postgres runs as the user " + name + ", who may not enter " + step
                            + ": move the data directory, or allow it with \"chmod o+x " + step + "\"");
                }
            }
        } catch (IOException e) {
            throw new ComputeException("cannot look at " + directory, e);
        }
    }

    private boolean mayEnter(Path directory) throws IOException {
        int mode = (int) Files.getAttribute(directory, "unix:mode");
        if ((int) Files.getAttribute(directory, "unix:uid") == uid) {
            return (mode & OWNER_MAY_ENTER) != 0;
        }
        if ((int) Files.getAttribute(directory, "unix:gid") == gid) {
            return (mode & GROUP_MAY_ENTER) != 0;
        }
        return (mode & OTHERS_MAY_ENTER) != 0;
    }

    /**
     * The user for computes that must not open the files of others: {@value #SECLUDED}, made when it is missing. This user itself
     * where no other can be had: a server that is not root, or a system without useradd.
     */
    ComputeUser secluded() {
        if (own) {
            log.info("Computes of anonymized branches run as {}, like all others", name);
            return this;
        }
        Optional<ComputeUser> existing = lookUp(SECLUDED);
        if (existing.isEmpty()) {
            create(SECLUDED);
            existing = lookUp(SECLUDED);
        }
        if (existing.isEmpty()) {
            log.warn(
                    "There is no user {}: superusers of anonymized branches could open files of their parents",
                    SECLUDED);
        }
        return existing.orElse(this);
    }

    private static void create(String user) {
        List<String> command = List.of("useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", user);
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            if (process.waitFor(USERADD_TIMEOUT_SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0) {
                log.info("Created the system user {} to run Postgres as", user);
            } else {
                log.info("The user {} could not be made: useradd failed: {}", user, output);
            }
        } catch (IOException e) {
            log.info("The user {} could not be made: {}", user, e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ComputeException("interrupted while creating the user " + user, e);
        }
    }

    private static Optional<ComputeUser> lookUp(String name) {
        try {
            return find(name);
        } catch (IOException e) {
            throw new ComputeException("cannot read " + PASSWD, e);
        }
    }

    /** Reads {@code name:x:uid:gid:...} of passwd(5). */
    private static Optional<ComputeUser> find(String name) throws IOException {
        for (String line : Files.readAllLines(PASSWD, StandardCharsets.ISO_8859_1)) {
            String[] fields = line.split(":", -1);
            if (fields.length >= 4 && fields[0].equals(name)) {
                return Optional.of(
                        new ComputeUser(name, Integer.parseInt(fields[2]), Integer.parseInt(fields[3]), false));
            }
        }
        return Optional.empty();
    }
}
