package dev.coppice.compute;

import java.nio.file.Path;

/**
 * The sockets of one start of one compute.
 *
 * @param names by which they are found again
 * @param directory of the compute's user, for Postgres's socket
 * @param agent the page service's
 */
public record ComputeSockets(RunDirectory.Names names, Path directory, Path agent) {
    /** sun_path of sockaddr_un is 108 bytes with the zero at its end, and the JDK takes one less than fits. */
    private static final int SOCKET_PATH_MAX = 106;

    private static final String SOCKET = ".s.PGSQL." + PostgresConfiguration.PORT;

    /** @throws ComputeException when Unix sockets cannot be that deep in the file system */
    public ComputeSockets {
        int length = RunDirectory.length(directory.resolve(SOCKET));
        if (length > SOCKET_PATH_MAX) {
            throw new ComputeException("the path of the socket " + directory.resolve(SOCKET) + " has " + length
                    + " bytes, and " + SOCKET_PATH_MAX + " are possible: choose a shorter data directory");
        }
    }

    /** Postgres's socket. */
    public Path socket() {
        return directory.resolve(SOCKET);
    }

    ComputeAddress address(ComputeAddress.Peer peer) {
        return new ComputeAddress(socket(), directory, peer);
    }
}
