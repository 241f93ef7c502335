package dev.coppice.compute;

import dev.coppice.storage.io.DirectoryTree;
import dev.coppice.storage.io.UntrustedDirectory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.stream.Stream;

/**
 * Where the sockets of an endpoint are, {@code run/<endpoint id>}. The directory is the server's, and others may pass through it, not look. What lies in it has a name
 * that nobody guesses, another at each start: a directory of the compute's user for Postgres's socket, and the agent's socket. The names keep
 * computes apart that run as one user.
 */
public record RunDirectory(Path directory) {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";

    /** 62 bits. */
    private static final int NAME_LENGTH = 12;

    private static final String AGENT = ".agent";

    /** What a compute was given there, by its names. */
    public record Names(String sockets, String agent) {
        /** Drawn anew. */
        static Names draw() {
            return new Names(name(), name() + AGENT);
        }

        boolean valid() {
            return isName(sockets)
                    && agent.endsWith(AGENT)
                    && isName(agent.substring(0, agent.length() - AGENT.length()));
        }
    }

    /** Makes it ready for a start: there, the server's, and without anything of an earlier compute. */
    public ComputeSockets prepare(ComputeUser user) throws IOException {
        clean();
        Names names = Names.draw();
        user.privateDirectory(directory.resolve(names.sockets()));
        return sockets(names);
    }

    /** As {@link #prepare(ComputeUser)}, under the names of the last start, for clients that go on using them. */
    public void prepareAgain(ComputeUser user, Path sockets) throws IOException {
        clean();
        user.privateDirectory(directory.resolve(String.valueOf(sockets.getFileName())));
    }

    /** The sockets of a compute that was started before. */
    ComputeSockets sockets(Names names) {
        return new ComputeSockets(names, directory.resolve(names.sockets()), directory.resolve(names.agent()));
    }

    /** Removes what a compute left; it is a directory afterwards. */
    public void clean() throws IOException {
        if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectories(directory);
        }
        // Versions before gave it to the computes' user.
        try (UntrustedDirectory own = UntrustedDirectory.open(directory.toAbsolutePath())) {
            own.giveTo(UntrustedDirectory.ownUser(), UntrustedDirectory.ownGroup());
        }
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
        try (Stream<Path> left = Files.list(directory)) {
            for (Path each : (Iterable<Path>) left::iterator) {
                DirectoryTree.delete(each);
            }
        }
    }

    private static String name() {
        StringBuilder name = new StringBuilder(NAME_LENGTH);
        for (int i = 0; i < NAME_LENGTH; i++) {
            name.append(LETTERS.charAt(RANDOM.nextInt(LETTERS.length())));
        }
        return name.toString();
    }

    private static boolean isName(String text) {
        return text.length() == NAME_LENGTH && text.chars().allMatch(letter -> LETTERS.indexOf(letter) >= 0);
    }

    /** In bytes. */
    static int length(Path path) {
        return path.toString().getBytes(StandardCharsets.UTF_8).length;
    }
}
