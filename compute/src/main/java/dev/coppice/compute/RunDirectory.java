package dev.coppice.compute;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * An endpoint's directory for sockets and its log, {@code run/<endpoint id>}. Only the computes' user and root may enter, so
 * only they reach the sockets. It outlives the compute; its sockets do not.
 */
record RunDirectory(Path directory) {
    /** sun_path of sockaddr_un is 108 bytes with the zero at its end. */
    private static final int SOCKET_PATH_MAX = 107;

    private static final String SOCKET = ".s.PGSQL." + PostgresConfiguration.PORT;

    /** @throws ComputeException when Unix sockets cannot be that deep in the file system */
    RunDirectory {
        int length = directory.resolve(SOCKET).toString().getBytes(StandardCharsets.UTF_8).length;
        if (length > SOCKET_PATH_MAX) {
            throw new ComputeException("the path of the socket " + directory.resolve(SOCKET) + " has " + length
                    + " bytes, and Unix allows " + SOCKET_PATH_MAX + ": choose a shorter data directory");
        }
    }

    ComputeAddress address(ComputeAddress.Peer peer) {
        return new ComputeAddress(directory.resolve(SOCKET), directory, peer);
    }

    Path agentSocket() {
        return directory.resolve("agent.sock");
    }

    ServerLog log() {
        return new ServerLog(directory.resolve("postgres.log"));
    }

    /** Makes it ready for a start: there, private, and without the sockets of a compute that was killed. */
    void prepare(ComputeUser user) throws IOException {
        // Also when it is there: the endpoint may have run as another user before it was restored.
        user.privateDirectory(directory);
        clean();
        log().limit();
    }

    /** Removes what a killed compute left: its lock file names a process id that another process may have by now. */
    void clean() throws IOException {
        Files.deleteIfExists(directory.resolve(SOCKET));
        Files.deleteIfExists(directory.resolve(SOCKET + ".lock"));
        Files.deleteIfExists(agentSocket());
    }
}
