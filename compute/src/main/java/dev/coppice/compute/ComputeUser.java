package dev.coppice.compute;

import dev.coppice.storage.io.UntrustedDirectory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The operating system user that a compute runs as: a number of its own when the server is root ({@link ComputeUsers}), which needs no entry in the
 * user database, and the server's own user otherwise.
 *
 * @param name for messages
 * @param own whether it is the user of this process, so that nothing needs to change hands
 * @param shared whether processes of others than one timeline's computes have it, too
 */
public record ComputeUser(String name, int uid, int gid, boolean own, boolean shared) {
    /** For programs that belong to no data directory; below the range that timelines are given. */
    private static final int APART = 1_899_999_999;

    static final Path PASSWD = Path.of("/etc/passwd");
    private static final int OTHERS_MAY_ENTER = 1;
    private static final int GROUP_MAY_ENTER = 010;
    private static final int OWNER_MAY_ENTER = 0100;

    /** The user of this process; not for root, which Postgres refuses. */
    static ComputeUser ofThisProcess() {
        int uid = UntrustedDirectory.ownUser();
        return new ComputeUser("user " + uid, uid, UntrustedDirectory.ownGroup(), true, true);
    }

    /** A user and group of one number. */
    static ComputeUser ofNumber(int uid) {
        return new ComputeUser("user " + uid, uid, uid, false, false);
    }

    /** A user to run Postgres as where no timeline is served, the same on each call: this process's own, or as root one that has nothing. */
    public static ComputeUser detect() {
        return UntrustedDirectory.ownUser() == 0 ? ofNumber(APART) : ofThisProcess();
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

    /** Gives one file, directory or symbolic link to this user; it must lie in a directory that only this process's user can change. */
    public void own(Path path) throws IOException {
        if (!own) {
            Files.setAttribute(path, "unix:uid", uid, LinkOption.NOFOLLOW_LINKS);
            Files.setAttribute(path, "unix:gid", gid, LinkOption.NOFOLLOW_LINKS);
        }
    }

    /**
     * Makes a directory that only this user (and root) may enter, or puts an existing one into that state. It must lie in a directory that only this
     * process's user can change.
     */
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
                    throw new ComputeException("Postgres runs as " + name + ", who may not enter " + step
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

    /** Reads {@code name:x:uid:gid:...} of passwd(5). */
    static Optional<ComputeUser> find(String name) throws IOException {
        for (String line : Files.readAllLines(PASSWD, StandardCharsets.ISO_8859_1)) {
            String[] fields = line.split(":", -1);
            if (fields.length >= 4 && fields[0].equals(name)) {
                return Optional.of(new ComputeUser(
                        "the user " + name, Integer.parseInt(fields[2]), Integer.parseInt(fields[3]), false, true));
            }
        }
        return Optional.empty();
    }
}
